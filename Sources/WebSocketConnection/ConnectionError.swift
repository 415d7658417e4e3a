import WebSocketProtocol

/// Why something cannot be done on a connection, now or ever again.
public enum ConnectionError: Error, Sendable, Hashable, CustomStringConvertible {
    /// The connection was closed in the regular way; the Close that the client sent, if it did.
    case closed(Close?)
    /// TCP ended without a Close: the client is gone (1006).
    case lost
    /// The client answered no Ping within ``ConnectionSettings/pingTimeout``.
    case pingTimedOut
    /// The client broke the protocol and was told so.
    case failed(ProtocolError)
    /// `receive(timeout:)` waited as long as it was told to. The connection is as it was.
    case timedOut
    /// The task was cancelled while it waited. The connection is as it was.
    case cancelled
    /// More than ``ConnectionSettings/sendQueueByteLimit`` would wait for this client. Nothing was
    /// sent.
    case sendQueueFull(byteCount: Int, byteLimit: Int)
    /// Another task is waiting in `receive` already.
    case receiveInProgress
    /// What was to be sent breaks the protocol. Nothing was sent.
    case notSendable(SendError)

    public var description: String {
        switch self {
        case .closed(let close):
            "the connection is closed (\(close.map { "\($0)" } ?? "no answer"))"
        case .lost: "the client is gone"
        case .pingTimedOut: "the client answered no ping"
        case .failed(let error): "the client broke the protocol: \(error)"
        case .timedOut: "no message within the time limit"
        case .cancelled: "the task was cancelled"
        case .sendQueueFull(let byteCount, let byteLimit):
            "\(byteCount) bytes would wait for the client, over the limit of \(byteLimit) (--max-queue-size)"
        case .receiveInProgress: "another task receives on this connection already"
        case .notSendable(let error): "\(error)"
        }
    }

    /// Whether it tells of the connection's end, which is no fault of the handler.
    var isEnd: Bool {
        switch self {
        case .closed, .lost, .pingTimedOut, .failed: true
        default: false
        }
    }
}
