import WebSocketProtocol

/// Whoever publishes to topics: a broker, a connection, a hook without one.
public protocol MessagePublisher {
    /// Publishes a message to the subscribers of a topic. Never waits.
    ///
    /// - Parameters:
    ///   - key: with ``SlowSubscriberPolicy/latest`` it replaces a waiting message of this key.
    /// - Returns: how many get it; ``PublishCounts/refusal`` if nothing was published.
    @discardableResult
    func publish(_ message: Message, to topic: String, key: String?) -> PublishCounts
}

extension MessagePublisher {
    /// Publishes text; as ``publish(_:to:key:)``.
    @discardableResult
    public func publish(_ text: String, to topic: String, key: String? = nil) -> PublishCounts {
        publish(.text(text), to: topic, key: key)
    }

    /// Publishes bytes; as ``publish(_:to:key:)``.
    @discardableResult
    public func publish(_ bytes: [UInt8], to topic: String, key: String? = nil) -> PublishCounts {
        publish(.binary(bytes), to: topic, key: key)
    }
}
