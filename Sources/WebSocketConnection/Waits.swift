import EventLoop

/// What waits for something other than a message: tasks, and the beginning of a long message.
///
/// Most connections never have one, and thousands of them may be idle.
final class Waits {
    /// For the queue to fall to its mark.
    @exclusivity(unchecked) var drained: [Waiter<Void>] = []
    /// For the connection's end.
    @exclusivity(unchecked) var ended: [Waiter<Void>] = []
    @exclusivity(unchecked) var pongs: [PongWaiter] = []
    @exclusivity(unchecked) var sleepers: [Waiter<Result<Void, ConnectionError>>] = []
    /// For the end of the message that another task sends in pieces; `nil`: there is none.
    @exclusivity(unchecked) var messageInPieces: MessageInPieces?
    /// The number of the message that is coming, if so much of it is kept that it counts: see
    /// ``UnfinishedMessages``.
    @exclusivity(unchecked) var unfinishedMessage: Int?
    /// The message that the handler receives in pieces, or waits for; `nil`: there is none, or all
    /// of it was taken. See Connection+Incoming.swift.
    @exclusivity(unchecked) var incoming: IncomingPieces?
    /// Of a connection whose peer may send only so many messages; `nil`: any number.
    @exclusivity(unchecked) var messageBudget: MessageBudget?
    /// For bytes as they come; see Connection+Raw.swift.
    @exclusivity(unchecked) var rawBytes: Waiter<Connection.ReceivedBytes>?

    struct PongWaiter {
        let payload: [UInt8]
        let sentAt: MonotonicTime
        let waiter: Waiter<Result<MonotonicTime, ConnectionError>>
    }
}

extension ConnectionError {
    package init(_ interruption: WaitInterruption) {
        switch interruption {
        case .cancelled: self = .cancelled
        case .timedOut: self = .timedOut
        }
    }
}
