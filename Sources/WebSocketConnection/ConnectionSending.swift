import EventLoop
import WebSocketProtocol

extension Connection {
    /// Sends from a task that runs elsewhere, or a piece of a message, or while another task sends
    /// one piece by piece.
    @usableFromInline
    nonisolated(nonsending) func sendInTurn(
        _ message: Message, isFinal: Bool, compress: Bool
    ) async throws(ConnectionError) {
        let sender = TaskIdentity.current
        while true {
            let mustWait: Bool? = try await onLoop { connection in
                Result { () throws(ConnectionError) in
                    try connection.writePiece(message, isFinal, compress, from: sender)
                }
            }.get()
            if let mustWait {
                if mustWait { try await waitUntilDrained() }
                return
            }
            await wait({ $0.startWaitingForTurn($1) }, cancel: { $0.passTurn() })
            if Task.isCancelled { throw .cancelled }
        }
    }

    /// - Returns: whether the sender has to wait until the queue has drained; `nil` if it is
    ///   another task's turn.
    private func writePiece(
        _ message: Message, _ isFinal: Bool, _ compress: Bool, from sender: TaskIdentity
    ) throws(ConnectionError) -> Bool? {
        if let pieceSender, pieceSender != sender, !isDone { return nil }
        let mustWait = try write(message, isFinal, compress)
        pieceSender = isFinal ? nil : sender
        if isFinal { passTurn() }
        return mustWait
    }

    private func startWaitingForTurn(_ continuation: UnsafeContinuation<Void, Never>) {
        if pieceSender == nil || isDone { return continuation.resume() }
        madeRare.turnWaiters.append(continuation)
    }

    /// Lets all who wait for their turn look again.
    func passTurn() {
        let waiters = turnWaiters
        turnWaiters = []
        for waiter in waiters { waiter.resume() }
    }

    /// Puts a whole message into the queue, the common case.
    ///
    /// - Returns: whether the sender has to wait until the queue has drained; `nil` if nothing was
    ///   written because the caller is not on the loop's thread, or another message goes out piece
    ///   by piece.
    @usableFromInline
    func write(_ message: Message, compress: Bool) throws(ConnectionError) -> Bool? {
        guard loop.isCurrent else { return nil }
        switch message {
        case .text(let text):
            let byteCount = text.utf8.count
            if compress && session.compresses(byteCount) { return try writeCompressed(message) }
            guard let header = try header(.text, byteCount) else { return nil }
            if !lend(header, .text(text)) { text.utf8Span.span.withUnsafeBytes { put(header, $0) } }
        case .binary(let bytes):
            if compress && session.compresses(bytes.count) { return try writeCompressed(message) }
            guard let header = try header(.binary, bytes.count) else { return nil }
            if !lend(header, .bytes(bytes)) { bytes.withUnsafeBytes { put(header, $0) } }
        }
        return wrote(message)
    }

    private func header(_ kind: Opcode, _ byteCount: Int) throws(ConnectionError) -> FrameHeader? {
        try checkRoom(byteCount)
        do throws(SendError) {
            return try session.headerForMessage(
                kind, payloadByteCount: byteCount, maskingKey: maskingKey)
        } catch {
            throw .notSendable(error)
        }
    }

    private func writeCompressed(_ message: Message) throws(ConnectionError) -> Bool? {
        if session.sendingKind != nil { return nil }
        return try write(message, true, true)
    }

    private func wrote(_ message: Message, isFinal: Bool = true) -> Bool {
        if isFinal { sentMessageCount &+= 1 }
        if log.isEnabled(.fine) { log(.fine, "\(stream.peer) sent \(describe(message))") }
        return flushOverMark()
    }

    /// Puts a piece of a message into the queue. On the loop's thread.
    ///
    /// - Returns: whether the sender has to wait until the queue has drained.
    private func write(
        _ message: Message, _ isFinal: Bool, _ compress: Bool
    ) throws(ConnectionError) -> Bool {
        // The error is a value here: a typed one does not pass through `withUnsafeBytes`.
        let result: Result<Void, ConnectionError>
        switch message {
        case .text(let text):
            result = text.utf8Span.span.withUnsafeBytes {
                write(.text, $0, of: .text(text), isFinal, compress)
            }
        case .binary(let bytes):
            result = bytes.withUnsafeBytes {
                write(.binary, $0, of: .bytes(bytes), isFinal, compress)
            }
        }
        try result.get()
        return wrote(message, isFinal: isFinal)
    }

    private func write(
        _ kind: Opcode, _ payload: UnsafeRawBufferPointer, of body: Loan.Body, _ isFinal: Bool,
        _ compress: Bool
    ) -> Result<Void, ConnectionError> {
        do throws(ConnectionError) {
            try checkRoom(payload.count)
        } catch {
            return .failure(error)
        }
        do throws(SendError) {
            let mayCompress = compress || session.sendingKind != nil
            if mayCompress && session.compresses(payload.count) {
                let frame = try session.compressedFrame(
                    kind, payload: payload, isFinal: isFinal, maskingKey: maskingKey)
                put(frame.header, frame.payload)
                endpoint.compressionPool.deflateOutput.trim()
            } else {
                let header = try session.headerForData(
                    kind, payloadByteCount: payload.count, isFinal: isFinal,
                    maskingKey: maskingKey)
                if !lend(header, body) { put(header, payload) }
            }
            return .success(())
        } catch {
            return .failure(.notSendable(error))
        }
    }

    private func put(_ header: FrameHeader, _ payload: UnsafeRawBufferPointer) {
        let byteCount = header.byteCount + payload.count
        header.write(payload, to: stream.reserve(byteCount))
        stream.commit(byteCount)
    }

    /// Lends a long payload to the stream. One that is to be masked has to be copied anyway.
    ///
    /// - Returns: false if the payload is short, for which a copy is cheaper.
    private func lend(_ header: FrameHeader, _ payload: Loan.Body) -> Bool {
        guard header.payloadByteCount >= Self.lentByteCount && header.maskingKey == nil else {
            return false
        }
        let sentBefore = stream.sentByteCount
        stream.write(Loan(head: header.bytes([]), body: payload))
        noteSent(since: sentBefore)
        return true
    }

    /// 32 KiB: a copy of that takes about as long as what else is done for a loan.
    private static let lentByteCount = 32_768

    private func noteSent(since sentBefore: Int) {
        if sentInTurn.turn != loop.now { sentInTurn = (loop.now, 0) }
        sentInTurn.byteCount &+= stream.sentByteCount &- sentBefore
    }

    private func checkRoom(_ payloadByteCount: Int) throws(ConnectionError) {
        if isDone { throw ending ?? .closed(session.receivedClose) }
        guard stream.isOverDrainMark else { return }
        let queued = stream.queuedByteCount
        guard queued + payloadByteCount > settings.sendQueueByteLimit else { return }
        throw .sendQueueFull(
            byteCount: queued + payloadByteCount, byteLimit: settings.sendQueueByteLimit)
    }

    /// Sends at once what is over the mark.
    ///
    /// - Returns: whether the sender has to wait: for the socket, or for the others' turn.
    private func flushOverMark() -> Bool {
        guard stream.isOverDrainMark else { return hasSentItsShare }
        let sentBefore = stream.sentByteCount
        stream.flush()
        noteSent(since: sentBefore)
        return stream.isOverDrainMark || hasSentItsShare
    }

    private var hasSentItsShare: Bool {
        sentInTurn.byteCount > Self.sendLimitPerTurn && sentInTurn.turn == loop.now
    }

    /// Bytes after which a sender whose client keeps up lets the loop's other connections go on.
    private static let sendLimitPerTurn = 262_144

    /// Waits until the queue has fallen to its mark.
    @usableFromInline
    nonisolated(nonsending) func waitUntilDrained() async throws(ConnectionError) {
        await wait({ $0.startDraining($1) }, cancel: { $0.streamDrained() })
        if loop.isCurrent { noteActivity() }
        if Task.isCancelled { throw .cancelled }
        if let ending = await onLoop({ $0.ending }) { throw ending }
    }

    private func startDraining(_ continuation: UnsafeContinuation<Void, Never>) {
        guard ending == nil, stream.isOverDrainMark else {
            return loop.submit { continuation.resume() }  // in the next turn
        }
        madeRare.drainWaiters.append(continuation)
        stream.needsDrainNotice = true
    }
}

// MARK: - Control frames

extension Connection {
    /// Sends a Ping or Pong of ours, if the connection still lets it.
    func writeControl(_ opcode: Opcode, _ payload: [UInt8]) {
        guard ending == nil,
            let frame = try? session.frameForControl(opcode, payload, maskingKey: maskingKey)
        else { return }
        if log.isEnabled(.fine) {
            log(.fine, "\(stream.peer) sent \(opcode) \(payload.count) bytes")
        }
        stream.write(frame)
        if opcode == .ping { unansweredPingCount &+= 1 }
    }

    nonisolated(nonsending) func ping(_ payload: [UInt8]) async -> Result<Duration, ConnectionError>
    {
        let number = nextWaitNumber()
        return await wait(
            { connection, continuation in
                connection.startPing(
                    PingWaiter(
                        number: number, payload: payload, sentAt: connection.loop.currentTime,
                        continuation: continuation))
            }, cancel: { $0.cancelPing(number) })
    }

    private func startPing(_ waiter: PingWaiter) {
        if case .failure(let error) = writeOwnControl(.ping, waiter.payload) {
            return waiter.continuation.resume(returning: .failure(error))
        }
        madeRare.pingWaiters.append(waiter)
    }

    private func cancelPing(_ number: Int) {
        guard let index = pingWaiters.firstIndex(where: { $0.number == number }) else { return }
        pingWaiters.remove(at: index).continuation.resume(returning: .failure(.cancelled))
    }

    nonisolated(nonsending) func sendPong(_ payload: [UInt8]) async throws(ConnectionError) {
        try await onLoop { $0.writeOwnControl(.pong, payload) }.get()
        if await onLoop({ $0.flushOverMark() }) { try await waitUntilDrained() }
    }

    private func writeOwnControl(
        _ opcode: Opcode, _ payload: [UInt8]
    ) -> Result<Void, ConnectionError> {
        if let ending { return .failure(ending) }
        do throws(SendError) {
            stream.write(try session.frameForControl(opcode, payload, maskingKey: maskingKey))
            if opcode == .ping { unansweredPingCount &+= 1 }
            return .success(())
        } catch {
            return .failure(
                error == .closeAlreadySent ? .closed(session.receivedClose) : .notSendable(error))
        }
    }

    /// A Pong answers the Ping with its payload, and all before it (RFC 6455 §5.5.3).
    func receivedPong(_ payload: [UInt8]) {
        if case .pong = timerPurpose { scheduleKeepAlive() }
        unansweredPingCount = max(0, unansweredPingCount &- 1)
        guard let index = pingWaiters.firstIndex(where: { $0.payload == payload }) else { return }
        let now = loop.currentTime
        for waiter in pingWaiters[...index] {
            waiter.continuation.resume(returning: .success(now - waiter.sentAt))
        }
        pingWaiters.removeSubrange(...index)
    }

    nonisolated(nonsending) func unsafeWrite(_ bytes: [UInt8]) async throws(ConnectionError) {
        let mustWait: Result<Bool, ConnectionError> = await onLoop { connection in
            if let ending = connection.ending { return .failure(ending) }
            connection.stream.write(bytes)
            return .success(connection.flushOverMark())
        }
        if try mustWait.get() { try await waitUntilDrained() }
    }
}
