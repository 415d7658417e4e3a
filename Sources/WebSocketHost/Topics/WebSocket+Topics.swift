import EventLoop
import Topics
import WebSocketConnection
import WebSocketProtocol

extension WebSocket {
    /// Subscribes the connection to a topic, until ``unsubscribe(from:)`` or its end: what is
    /// published there from now on is sent to the client. The handler is not woken by that.
    ///
    /// What is published and what the handler sends go out in one order. Twice is as good as once.
    ///
    /// - Parameters:
    ///   - topic: any text of at most ``TopicSettings/nameByteLimit`` bytes; the match is exact.
    ///   - slow: what happens if the client reads too slowly; `nil`: what the route says, or
    ///     ``TopicSettings/slowSubscribers``.
    /// - Throws: ``TopicError``; how the connection ended, as ``ConnectionError``.
    public func subscribe(to topic: String, slow: SlowSubscriberPolicy? = nil) async throws {
        try await connection.onLoop { connection in
            Result { try connection.subscribe(to: topic, slow) }
        }.get()
    }

    /// What was published before is sent still, unless this handler is in the middle of a message
    /// in pieces: then what waits for its end is lost.
    ///
    /// - Returns: false if the connection was not subscribed.
    @discardableResult
    public func unsubscribe(from topic: String) async -> Bool {
        await connection.onLoop { connection in
            connection.companions?.topics.unsubscribe(connection, from: topic) ?? false
        }
    }

    /// The topics of the server: for publishing to everyone, and from code that outlives the
    /// connection.
    ///
    /// A connection that a program opened to another server has topics of its own, which nobody
    /// can subscribe to.
    public var topics: TopicBroker { connection.companions?.topics.broker ?? TopicBroker() }
}

extension WebSocket: MessagePublisher {
    /// Publishes to all subscribers of a topic but this connection.
    @discardableResult
    public func publish(_ message: Message, to topic: String, key: String? = nil) -> PublishCounts {
        guard let broker = connection.companions?.topics.broker else {
            var counts = PublishCounts()
            counts.refusal = .notAServer
            return counts
        }
        return broker.publish(
            Publication(topic: topic, message: message, key: key), except: connection)
    }
}

extension HandshakeRequest {
    /// The topics of the server. A connection can subscribe once it is open.
    public var topics: TopicBroker { endpoint.topicCompanions?.topics.broker ?? TopicBroker() }
}

extension Connection {
    fileprivate var companions: TopicCompanions? { endpoint.topicCompanions }

    fileprivate func subscribe(to topic: String, _ policy: SlowSubscriberPolicy?) throws {
        guard let companions else { throw TopicError.notAServer }
        guard takesMessages else { throw reasonForEnd }
        _ = try companions.topics.subscribe(
            self, to: topic, policy ?? companions.slowSubscribers)
    }
}

extension Endpoint {
    fileprivate var topicCompanions: TopicCompanions? { companions as? TopicCompanions }
}
