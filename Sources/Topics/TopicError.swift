/// Why a topic cannot be subscribed to, or nothing be published.
public enum TopicError: Error, Sendable, Hashable, CustomStringConvertible {
    case emptyName
    /// See ``TopicSettings/nameByteLimit``.
    case nameTooLong(byteCount: Int, byteLimit: Int)
    /// See ``TopicSettings/subscriptionLimit``.
    case tooManySubscriptions(limit: Int)
    /// See ``TopicSettings/messageByteLimit``.
    case messageTooLong(byteCount: Int, byteLimit: Int)
    /// The connection is a client's: a program that connects elsewhere has no topics there.
    case notAServer
    /// A feed was told to end: another process of the supervisor has it, or the server stops.
    case feedEnded

    public var description: String {
        switch self {
        case .emptyName: "a topic's name is empty"
        case .nameTooLong(let byteCount, let byteLimit):
            "a topic's name has \(byteCount) bytes, over the limit of \(byteLimit) "
                + "(--max-topic-name-size)"
        case .tooManySubscriptions(let limit):
            "the connection has \(limit) subscriptions, as many as it may have "
                + "(--max-subscriptions)"
        case .messageTooLong(let byteCount, let byteLimit):
            "a message to publish has \(byteCount) bytes, over the limit of \(byteLimit) "
                + "(--max-message-size)"
        case .notAServer: "this connection is a client's, which has no topics"
        case .feedEnded: "the feed was told to end, and publishes nothing any more"
        }
    }
}
