import EventLoop
import Logging
import WebSocketProtocol

extension Connection: StreamDelegate {
    package func streamReceived(_ bytes: UnsafeMutableRawBufferPointer) {
        traffic.lastReceived = loop.now
        if handler.receiver != nil { handler.waitingTask?.prefetch() }
        if isRaw { return receivedRaw(UnsafeRawBufferPointer(bytes)) }
        var input = InputBytes(bytes)
        parse(&input)
        while !input.isEmpty || !mayParse {
            // The handler may be about to take what is ready: cheaper than to keep the rest.
            loop.runReadyJobs()
            if isRaw { return receivedRaw(input.remaining) }
            guard mayParse else { return holdUp(input) }
            parse(&input)
        }
    }

    /// Keeps what was not parsed, and lets the peer wait.
    private func holdUp(_ input: InputBytes) {
        guard !hasEnded else { return }
        inbox.unparsed.append(input.remaining)
        pauseReading()
        if stream.isOverDrainMark { stream.needsDrainNotice = true }
    }

    private func pauseReading() {
        stream.pauseReading()
        if stream.isEndKnown { streamEndIsKnown() }
    }

    package func streamReachedEnd() {
        if isRaw { return endRaw() }
        // Behind a Close the end is in order, and the answer is on its way.
        if !session.hasReceivedClose { end(.lost) }
    }

    package func streamFailed(_ error: SystemError) {
        log(.debug, "\(endpoint.name) \(stream.peer): \(error)")
        endOfStream()
    }

    package func streamDrained() {
        if companion != nil { endpoint.companions?.pause(of: self) }
        waits?.drained.resumeAll(returning: ())
        readOn()
    }

    package func streamClosed() {
        endOfStream()
        leaveIfDone()
    }

    /// A client that does not wait for the answer to its Close has closed all the same.
    private func endOfStream() {
        end(session.receivedClose.map { .closed($0) } ?? .lost)
    }
}

extension Connection {
    /// Whether another event may be parsed: a message fits into the inbox, and the answer to a Ping
    /// into the queue. After our Close all data is dropped.
    @inline(__always)
    private var mayParse: Bool {
        if isDone { return true }
        return !inbox.isFull && !stream.isOverDrainMark
    }

    /// Parses until the input ends or nothing more may be taken.
    private func parse(_ input: inout InputBytes) {
        while mayParse && !input.isEmpty {
            // The handler can end the connection while the rest of what was read still lies here.
            if hasEnded { return input.skipAll() }
            do throws(ProtocolError) {
                guard let event = try session.nextEvent(from: &input) else {
                    return keepsPart(session.unfinishedByteCount)
                }
                received(event)
            } catch {
                input.skipAll()
                return failSoon(error)
            }
        }
    }

    /// The input ended, or a control frame came, and so much of a message was kept (RFC 6455 §5.4:
    /// control frames may come between its fragments, and the last that was read may be one).
    private func keepsPart(_ byteCount: Int) {
        if byteCount >= UnfinishedMessages.countedByteCount { countUnfinished(byteCount) }
        if mustHoldBack(byteCount) { pauseReading() }
    }

    /// Whether the rest of a message that is coming has to wait until the handler asks for a
    /// message: what is kept of it counts as if it lay in the inbox. While the handler waits it is
    /// read on, however long it becomes.
    private func mustHoldBack(_ byteCount: Int) -> Bool {
        byteCount > 0 && handler.receiver == nil && !isDone
            && byteCount &+ inbox.byteCount >= settings.receiveQueueByteLimit
    }

    private func resumeReading() {
        if handler.receiver == nil, mustHoldBack(session.unfinishedByteCount) { return }
        stream.resumeReading()
    }

    /// Parses what was kept. May be called from the handler's task, so it runs no jobs.
    func parseUnparsed() {
        guard !inbox.unparsed.isEmpty, !isRaw else { return }
        var bytes = inbox.unparsed
        inbox.unparsed = UnparsedBytes()
        bytes.parse { parse(&$0) }
        if bytes.isEmpty { return resumeReading() }
        inbox.unparsed = bytes
        if stream.isOverDrainMark { stream.needsDrainNotice = true }
    }

    /// Goes on with what back-pressure held up.
    func readOn() {
        if inbox.unparsed.isEmpty { return resumeReading() }
        if mayParse { return parseUnparsed() }
        if stream.isOverDrainMark { stream.needsDrainNotice = true }
    }

    private func received(_ event: consuming Session.Event) {
        switch consume event {
        case .message(let message):
            countReceived(message.payloadByteCount)
            if waits != nil { finishUnfinished() }
            if log.isEnabled(.fine) { log(.fine, "\(stream.peer) received \(describe(message))") }
            guard !isDone else { return }
            if waits != nil, isNotForInbox(message) { return }
            deliver(message)
        case .piece(let piece): receivedPiece(piece)
        case .ping(let payload):
            // §5.5.2: "Upon receipt of a Ping frame, an endpoint MUST send a Pong frame in
            // response"
            if !isDone && endpoint.controlHooks.answersPings { writeControl(.pong, payload) }
            if stream.isOverDrainMark { stream.needsDrainNotice = true }
            endpoint.controlHooks.onPing?(WebSocket(self), payload)
            keepsPart(session.unfinishedByteCount)
        case .pong(let payload):
            receivedPong(payload)
            endpoint.controlHooks.onPong?(WebSocket(self), payload)
            keepsPart(session.unfinishedByteCount)
        case .close(let close):
            receivedClose(close)
        }
    }

    private func deliver(_ message: consuming Message) {
        guard let receiver = handler.receiver.take() else { return inbox.append(message) }
        handler.isBusy = true
        receiver.resume(returning: .success(message))
    }

    func describe(_ message: Message) -> String {
        switch message {
        case .text(let text): "text \(text.utf8.count) bytes \"\(escaped(text, limit: 64))\""
        case .binary(let bytes): "binary \(bytes.count) bytes"
        }
    }

    /// What it says of a whole message, the log says of its last piece too.
    func describe(_ body: PieceBody, isFinal: Bool) -> String {
        let text =
            switch body {
            case .text(let text): describe(.text(text))
            case .bytes(let bytes, .binary): describe(.binary(bytes))
            case .bytes(let bytes, .text): "text \(bytes.count) bytes"
            case .file(_, let range): "binary \(range.count) bytes of a file"
            }
        return isFinal ? text : text + ", to be continued"
    }
}

// MARK: - The handler's side

extension Connection {
    /// A message that is there already; `nil` for a caller that is not on the loop's thread.
    @usableFromInline
    func nextReadyMessage() -> Message? {
        guard loop.isCurrent, !inbox.isEmpty else { return nil }
        if waits != nil { skipRest() }
        guard let message = inbox.popFirst() else { return nil }
        handler.isBusy = true
        if inbox.isEmpty { readOn() }
        return message
    }

    /// Waits for a message in any task.
    @inline(never)
    nonisolated(nonsending) func waitForMessage(
        inAnyTask timeout: Duration?
    ) async throws(ConnectionError) -> Message? {
        let received: Received = await wait(timeout: timeout) { connection, waiter in
            connection.startReceiving(waiter)
        } interrupt: { connection, number, reason in
            connection.interruptReceive(number, reason)
        }
        if loop.isCurrent { noteActivity() }
        return try received.get()
    }

    func interruptReceive(_ number: Int, _ reason: WaitInterruption) {
        handler.receiver.resume(number, returning: .failure(ConnectionError(reason)))
    }

    func startReceiving(_ waiter: Waiter<Received>) {
        if let message = nextReadyMessage() { return waiter.resume(returning: .success(message)) }
        guard handler.receiver == nil else {
            return waiter.resume(returning: .failure(.receiveInProgress))
        }
        if waits != nil { skipRest() }
        guard startWaiting(waiter) else { return }
        inbox.shrink()
        readOn()
    }

    /// Has a message, or a piece of one, resume the waiter.
    ///
    /// - Returns: false if there will be none, and the waiter was told so.
    func startWaiting(_ waiter: Waiter<Received>) -> Bool {
        handler.isBusy = false
        answerCloseIfDue()
        if let ending {
            waiter.resume(returning: Self.received(at: ending))
            return false
        }
        if isRaw || session.hasSentClose {
            waiter.resume(returning: .success(nil))
            return false
        }
        handler.receiver = waiter
        handler.waitingTask = WaitingTask(waiter.continuation)
        return true
    }

    /// What `receive` returns after the last message.
    static func received(at ending: ConnectionError) -> Received {
        if case .closed = ending { .success(nil) } else { .failure(ending) }
    }
}
