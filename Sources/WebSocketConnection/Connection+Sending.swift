import EventLoop
import Logging
import WebSocketProtocol

/// What became of a message that was to be sent.
@usableFromInline
enum SendOutcome: Sendable {
    /// It is queued; the sender goes on.
    case queued
    /// It is queued, and the sender has to wait until the queue has drained.
    case queuedOverMark
    /// Nothing was queued: it is another task's turn, or the caller is not on the loop's thread.
    case notInTurn
}

extension Connection {
    /// Puts a whole message into the queue, the common case.
    @usableFromInline
    func write(_ message: Message, compress: Bool) throws(ConnectionError) -> SendOutcome {
        guard loop.isCurrent else { return .notInTurn }
        if companion != nil { sendWaiting() }
        switch message {
        case .text(let text):
            let byteCount = text.utf8.count
            if compress && session.compresses(byteCount) { return try writeCompressed(message) }
            guard let header = try header(.text, byteCount) else { return .notInTurn }
            if !lend(header, .text(text)) { text.utf8Span.span.withUnsafeBytes { put(header, $0) } }
        case .binary(let bytes):
            if compress && session.compresses(bytes.count) { return try writeCompressed(message) }
            guard let header = try header(.binary, bytes.count) else { return .notInTurn }
            if !lend(header, .bytes(bytes)) { bytes.withUnsafeBytes { put(header, $0) } }
        }
        return wrote(message)
    }

    private func header(_ kind: Opcode, _ byteCount: Int) throws(ConnectionError) -> FrameHeader? {
        try checkQueueLimit(byteCount)
        do throws(SendError) {
            return try session.headerForMessage(
                kind, payloadByteCount: byteCount, maskingKey: maskingKey)
        } catch {
            throw .notSendable(error)
        }
    }

    private func writeCompressed(_ message: Message) throws(ConnectionError) -> SendOutcome {
        if session.sendingKind != nil { return .notInTurn }
        return try writePiece(message, isFinal: true, compress: true)
    }

    private func wrote(_ message: Message, isFinal: Bool = true) -> SendOutcome {
        if isFinal { traffic.sentMessageCount &+= 1 }
        if log.isEnabled(.fine) { log(.fine, "\(stream.peer) sent \(describe(message))") }
        return flushOverMark() ? .queuedOverMark : .queued
    }

    /// Puts a piece of a message into the queue. On the loop's thread.
    func writePiece(
        _ message: Message, isFinal: Bool, compress: Bool
    ) throws(ConnectionError) -> SendOutcome {
        if companion != nil && session.sendingKind == nil { sendWaiting() }
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
            try checkQueueLimit(payload.count)
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
        if traffic.sentInTurn.turn != loop.now { traffic.sentInTurn = (loop.now, 0) }
        let sentByteCount = UInt32(clamping: stream.sentByteCount &- sentBefore)
        traffic.sentInTurn.byteCount &+= sentByteCount
    }

    private func checkQueueLimit(_ payloadByteCount: Int) throws(ConnectionError) {
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
    func flushOverMark() -> Bool {
        guard stream.isOverDrainMark else { return hasSentItsShare }
        let sentBefore = stream.sentByteCount
        stream.flush()
        noteSent(since: sentBefore)
        return stream.isOverDrainMark || hasSentItsShare
    }

    private var hasSentItsShare: Bool {
        traffic.sentInTurn.byteCount > Self.sendLimitPerTurn && traffic.sentInTurn.turn == loop.now
    }

    /// Bytes after which a sender whose client keeps up lets the loop's other connections go on.
    private static let sendLimitPerTurn: UInt32 = 262_144

    /// Waits until the queue has fallen to its mark.
    @usableFromInline
    nonisolated(nonsending) func waitUntilDrained() async throws(ConnectionError) {
        await wait { connection, waiter in
            connection.startDraining(waiter)
        } interrupt: { connection, number, _ in
            connection.waits?.drained.resume(number, returning: ())
        }
        if loop.isCurrent { noteActivity() }
        if Task.isCancelled { throw .cancelled }
        if let ending = await onLoop({ $0.ending }) { throw ending }
    }

    private func startDraining(_ waiter: Waiter<Void>) {
        guard !hasEnded, stream.isOverDrainMark else {
            return loop.submit { [continuation = waiter.continuation] in
                continuation.resume()  // in the next turn
            }
        }
        makeWaits().drained.append(waiter)
        stream.needsDrainNotice = true
    }
}
