import EventLoop
import Synchronization
import WebSocketProtocol

extension Connection {
    /// Sends from a task that runs elsewhere, or a piece of a message, or while another task sends
    /// one piece by piece.
    @usableFromInline
    nonisolated(nonsending) func sendInTurn(
        _ message: Message, isFinal: Bool, compress: Bool
    ) async throws(ConnectionError) {
        try await sendInTurn(PieceBody(message), isFinal: isFinal, compress: compress)
    }

    nonisolated(nonsending) func sendInTurn(
        _ body: PieceBody, isFinal: Bool, compress: Bool
    ) async throws(ConnectionError) {
        let sender = TaskIdentity.current
        while true {
            let outcome = try await onLoop { connection in
                Result { () throws(ConnectionError) in
                    try connection.writeInTurn(body, isFinal, compress, from: sender)
                }
            }.get()
            switch outcome {
            case .queued: return
            case .queuedOverMark: return try await waitUntilDrained()
            case .notInTurn: await waitForTurn()
            }
            if Task.isCancelled { throw .cancelled }
        }
    }

    private func writeInTurn(
        _ body: PieceBody, _ isFinal: Bool, _ compress: Bool, from sender: TaskIdentity
    ) throws(ConnectionError) -> SendOutcome {
        if let pieces = waits?.messageInPieces, pieces.sender != sender, !isDone {
            return .notInTurn
        }
        let outcome = try writePiece(body, isFinal: isFinal, compress: compress)
        if isFinal {
            endPieces()
        } else if waits?.messageInPieces == nil {
            makeWaits().messageInPieces = MessageInPieces(sender: sender)
        }
        return outcome
    }

    /// Waits until no other task has a message under way.
    private nonisolated(nonsending) func waitForTurn() async {
        await wait { connection, waiter in
            if let pieces = connection.waits?.messageInPieces, !connection.isDone {
                pieces.others.append(waiter)
            } else {
                waiter.resume(returning: ())
            }
        } interrupt: { connection, number, _ in
            connection.waits?.messageInPieces?.others.resume(number, returning: ())
        }
    }

    /// The message is complete, or cannot be any more: the other senders try again.
    func endPieces() {
        guard let pieces = waits?.messageInPieces.take() else { return }
        pieces.others.resumeAll(returning: ())
        if companion != nil { endpoint.companions?.pause(of: self) }
    }
}

/// A message that a task sends piece by piece. What other tasks send waits until it is complete.
final class MessageInPieces {
    let sender: TaskIdentity
    /// Or another task might get its address, and continue its message.
    private let keptSender: AnyObject?
    /// Tasks that wait until the message is complete.
    @exclusivity(unchecked) var others: [Waiter<Void>] = []

    init(sender: TaskIdentity) {
        self.sender = sender
        keptSender = sender.task
        Self.count.add(1, ordering: .relaxed)
    }

    deinit { Self.count.subtract(1, ordering: .relaxed) }

    /// Whether any connection has one under way: its sender's task then runs no other handler.
    static var areAny: Bool { count.load(ordering: .relaxed) > 0 }
    private static let count = Atomic(0)
}
