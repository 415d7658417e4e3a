import EventLoop
import WebSocketProtocol

// Receiving a message in pieces. Whoever waits for one waits as for a message, in
// `handler.receiver`, so that reading goes on and stops as ever.

extension Connection {
    nonisolated(nonsending) func receiveInPieces(
        timeout: Duration?
    ) async throws(ConnectionError) -> IncomingMessage? {
        let incoming = IncomingPieces()
        let received: Received = await wait(timeout: timeout) { connection, waiter in
            connection.startReceiving(incoming, waiter)
        } interrupt: { connection, number, reason in
            connection.interruptReceive(number, reason)
            if connection.waits?.incoming === incoming { connection.expectNothing(incoming) }
        }
        if loop.isCurrent { noteActivity() }
        guard try received.get() != nil else { return nil }
        return IncomingMessage(self, incoming, await onLoop { _ in incoming.kind })
    }

    private func startReceiving(_ incoming: IncomingPieces, _ waiter: Waiter<Received>) {
        if let message = nextReadyMessage() {
            incoming.begin(with: message)
            makeWaits().incoming = incoming
            return waiter.resume(returning: Self.begun)
        }
        guard handler.receiver == nil else {
            return waiter.resume(returning: .failure(.receiveInProgress))
        }
        if waits != nil { skipRest() }
        guard startWaiting(waiter) else { return }
        makeWaits().incoming = incoming
        finishUnfinished()
        if let piece = session.receiveInPieces() { receivedPiece(piece) }
        inbox.shrink()
        readOn()
    }

    /// The message was not waited for long enough.
    private func expectNothing(_ incoming: IncomingPieces) {
        guard incoming.phase == .expected else { return }
        waits?.incoming = nil
        session.receiveWhole()
    }

    /// What resumes the task that waits for the beginning of a message.
    private static let begun = Received.success(.binary([]))

    /// Takes a message that was waited for in pieces and has come as a whole, and drops the one
    /// that was too many.
    ///
    /// - Returns: false for any other.
    @inline(never)
    func isNotForInbox(_ message: Message) -> Bool {
        if hasExceededRate { return true }
        guard let incoming = waits?.incoming, incoming.phase == .expected else { return false }
        session.receiveWhole()
        incoming.begin(with: message)
        resumeReceiver(Self.begun)
        return true
    }

    func receivedPiece(_ piece: Session.Piece) {
        endpoint.counters?.received(messages: 0, bytes: piece.bytes.count)
        if piece.isLast { receivedLast(piece) }
        guard !isDone, let incoming = waits?.incoming else { return }
        incoming.hasEnd = piece.isLast
        if incoming.phase == .expected {
            incoming.begin(piece.kind, piece.bytes)
            resumeReceiver(Self.begun)
        } else if handler.receiver == nil {
            if !piece.bytes.isEmpty {
                inbox.append(.binary(piece.bytes))
                incoming.queuedCount += 1
            }
        } else {
            finishIfRead(incoming)
            resumeReceiver(.success(piece.bytes.isEmpty ? nil : .binary(piece.bytes)))
        }
    }

    private func receivedLast(_ piece: Session.Piece) {
        countReceived(0)
        if log.isEnabled(.fine) {
            log(.fine, "\(stream.peer) received the end of a \(piece.kind) message in pieces")
        }
    }

    private func resumeReceiver(_ received: Received) {
        handler.isBusy = true
        handler.receiver.resume(returning: received)
    }

    /// Another message is asked for: what is left of the one before is dropped.
    @inline(never)
    func skipRest() {
        guard let incoming = waits?.incoming else { return }
        waits?.incoming = nil
        let hasBegun = incoming.phase == .coming
        incoming.phase = .skipped
        incoming.first = []
        for _ in 0..<incoming.queuedCount { _ = inbox.popFirst() }
        if hasBegun && !incoming.hasEnd {
            countReceived(0)
            session.skipRest()
        }
    }
}

// MARK: - The pieces

extension Connection {
    nonisolated(nonsending) func nextPiece(
        of incoming: IncomingPieces
    ) async throws(ConnectionError) -> [UInt8]? {
        if loop.isCurrent, let piece = takePiece(of: incoming) { return piece }
        let received: Received = await wait { connection, waiter in
            connection.startReceivingPiece(of: incoming, waiter)
        } interrupt: { connection, number, reason in
            connection.interruptReceive(number, reason)
        }
        if loop.isCurrent { noteActivity() }
        if case .binary(let bytes)? = try received.get() { return bytes }
        if let error = await onLoop({ $0.reasonForMissingEnd(of: incoming) }) { throw error }
        return nil
    }

    /// A piece that is there already.
    private func takePiece(of incoming: IncomingPieces) -> [UInt8]? {
        guard incoming.phase == .coming else { return nil }
        if !incoming.first.isEmpty {
            defer { finishIfRead(incoming) }
            let piece = incoming.first
            incoming.first = []
            return piece
        }
        guard incoming.queuedCount > 0, case .binary(let bytes) = inbox.popFirst() else {
            return nil
        }
        incoming.queuedCount -= 1
        finishIfRead(incoming)
        handler.isBusy = true
        if inbox.isEmpty { readOn() }
        return bytes
    }

    private func startReceivingPiece(
        of incoming: IncomingPieces, _ waiter: Waiter<Received>
    ) {
        if let piece = takePiece(of: incoming) {
            return waiter.resume(returning: .success(.binary(piece)))
        }
        finishIfRead(incoming)
        guard incoming.phase == .coming else { return waiter.resume(returning: .success(nil)) }
        guard handler.receiver == nil else {
            return waiter.resume(returning: .failure(.receiveInProgress))
        }
        if startWaiting(waiter) { readOn() }
    }

    /// Nothing is left of a message of which all has come.
    private func finishIfRead(_ incoming: IncomingPieces) {
        guard incoming.phase == .coming, incoming.hasEnd, incoming.first.isEmpty,
            incoming.queuedCount == 0
        else { return }
        incoming.phase = .read
        if waits?.incoming === incoming { waits?.incoming = nil }
    }

    /// Why no more pieces come of a message; `nil`: it was read to its end.
    private func reasonForMissingEnd(of incoming: IncomingPieces) -> ConnectionError? {
        switch incoming.phase {
        case .read, .expected: nil
        case .coming: reasonForEnd
        case .skipped: .messageSkipped
        }
    }
}

extension IncomingPieces {
    func begin(_ kind: Message.Kind, _ bytes: [UInt8]) {
        phase = .coming
        self.kind = kind
        first = bytes
    }

    fileprivate func begin(with message: Message) {
        hasEnd = true
        switch message {
        case .text(let text): begin(.text, Array(text.utf8))
        case .binary(let bytes): begin(.binary, bytes)
        }
    }
}
