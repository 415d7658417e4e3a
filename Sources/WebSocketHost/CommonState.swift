import HTTPServer
import Synchronization
import Topics
import WebSocketConnection

/// What all loops of a server share.
struct CommonState: Sendable {
    let numbers = ConnectionNumbers()
    let unfinishedMessages: UnfinishedMessages
    let topics: TopicBroker
    /// Of requests that hooks `http` answer.
    let heldBodies: HeldBodies

    /// - Parameter topics: `nil`: of its own.
    init(_ configuration: Configuration, topics: TopicBroker? = nil) {
        unfinishedMessages = UnfinishedMessages(
            byteLimit: configuration.unfinishedMessagesByteLimit)
        heldBodies = HeldBodies(byteLimit: configuration.http.heldBodiesByteLimit)
        var settings = configuration.topics
        settings.messageByteLimit = configuration.connection.messageByteLimit
        self.topics = topics ?? TopicBroker(settings)
    }
}

/// Numbers for connections, one after the other over all loops.
final class ConnectionNumbers: Sendable {
    private let last = Atomic<UInt64>(0)
    func next() -> UInt64 { last.add(1, ordering: .relaxed).newValue }
}
