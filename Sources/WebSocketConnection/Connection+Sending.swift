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
            countSent(1, byteCount: byteCount)
        case .binary(let bytes):
            if compress && session.compresses(bytes.count) { return try writeCompressed(message) }
            guard let header = try header(.binary, bytes.count) else { return .notInTurn }
            if !lend(header, .bytes(bytes)) { bytes.withUnsafeBytes { put(header, $0) } }
            countSent(1, byteCount: bytes.count)
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
        return try writePiece(PieceBody(message), isFinal: true, compress: true)
    }

    private func wrote(_ message: Message) -> SendOutcome {
        if log.isEnabled(.fine) { log(.fine, "\(stream.peer) sent \(describe(message))") }
        return flushOverMark() ? .queuedOverMark : .queued
    }

    /// Puts a piece of a message into the queue. On the loop's thread.
    func writePiece(
        _ body: PieceBody, isFinal: Bool, compress: Bool
    ) throws(ConnectionError) -> SendOutcome {
        if companion != nil && session.sendingKind == nil { sendWaiting() }
        // The error is a value here: a typed one does not pass through `withUnsafeBytes`.
        let result: Result<Void, ConnectionError>
        switch body {
        case .text(let text):
            result = text.utf8Span.span.withUnsafeBytes {
                write(.text, $0, of: .text(text), isFinal, compress)
            }
        case .bytes(let bytes, let kind):
            result = bytes.withUnsafeBytes {
                write(kind.opcode, $0, of: .bytes(bytes), isFinal, compress)
            }
        case .file(let file, let range):
            try checkQueueLimit(range.count)
            result = writePart(of: file, range, isFinal)
        }
        try result.get()
        countSent(isFinal ? 1 : 0, byteCount: body.byteCount)
        if log.isEnabled(.fine) {
            log(.fine, "\(stream.peer) sent \(describe(body, isFinal: isFinal))")
        }
        return flushOverMark() ? .queuedOverMark : .queued
    }

    private func writePart(
        of file: OpenFile, _ range: Range<Int>, _ isFinal: Bool
    ) -> Result<Void, ConnectionError> {
        do throws(SendError) {
            let header = try session.headerForData(
                .binary, payloadByteCount: range.count, isFinal: isFinal)
            stream.write(header.bytes([]))
            stream.sendFile(file, range)
            return .success(())
        } catch {
            return .failure(.notSendable(error))
        }
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
                // To compress them took longer than to send them will.
                noteSent(payload.count)
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
        noteSent(stream.sentByteCount &- sentBefore)
        return true
    }

    /// 32 KiB: a copy of that takes about as long as what else is done for a loan.
    private static let lentByteCount = 32_768

    private func noteSent(_ byteCount: Int) {
        if traffic.sentInTurn.turn != loop.now { traffic.sentInTurn = (loop.now, 0) }
        let sum = Int(traffic.sentInTurn.byteCount) &+ byteCount
        traffic.sentInTurn.byteCount = UInt32(clamping: sum)
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
        noteSent(stream.sentByteCount &- sentBefore)
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
