import WebSocketProtocol

/// Why something cannot be done on a connection, now or ever again.
public enum ConnectionError: Error, Sendable, Hashable, CustomStringConvertible {
    /// The connection was closed in the regular way; the Close that the peer sent, if it did.
    case closed(Close?)
    /// TCP ended without a Close (1006).
    case lost
    /// The peer answered no Ping within ``ConnectionSettings/pingTimeout``.
    case pingTimedOut
    /// The peer broke the protocol. It was sent a Close with the error's code.
    case failed(ProtocolError)
    /// `receive(timeout:)` waited for the whole timeout. The connection is as it was.
    case timedOut
    /// The task was cancelled while it waited. The connection is as it was.
    case cancelled
    /// More than ``ConnectionSettings/sendQueueByteLimit`` would wait for this peer. Nothing was
    /// sent.
    case sendQueueFull(byteCount: Int, byteLimit: Int)
    /// The next message was asked for before this one was read to its end: the rest is lost.
    case messageSkipped
    /// Another task is waiting in `receive` already.
    case receiveInProgress
    /// What was to be sent breaks the protocol. Nothing was sent; of a message in pieces, nothing
    /// but those before.
    case notSendable(SendError)

    public var description: String {
        switch self {
        case .closed(let close):
            "the connection is closed (\(close.map { "\($0)" } ?? "no answer"))"
        case .lost: "TCP ended without a Close"
        case .pingTimedOut: "the peer answered no Ping"
        case .failed(let error): "the peer broke the protocol: \(error)"
        case .timedOut: "no message within the time limit"
        case .cancelled: "the task was cancelled"
        case .sendQueueFull(let byteCount, let byteLimit):
            "\(byteCount) bytes would wait for the peer, over the limit of \(byteLimit) "
                + "(--max-queue-size)"
        case .messageSkipped: "the next message was asked for before the end of this one"
        case .receiveInProgress: "another task is receiving on this connection"
        case .notSendable(let error): "\(error)"
        }
    }

    /// Whether it reports the connection's end, which is not a fault of the handler.
    var isEnd: Bool {
        switch self {
        case .closed, .lost, .pingTimedOut, .failed: true
        default: false
        }
    }
}
