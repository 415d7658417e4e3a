import ClientLimits
import EventLoop
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
    /// `nil`: nothing is counted.
    let metrics: ServerMetrics?
    /// `nil`: no client is limited by its address.
    let addressLimits: AddressLimits?

    /// - Parameters:
    ///   - topics: `nil`: of its own.
    ///   - clients: the table of all server processes; `nil`: of its own, if a limit needs one.
    init(
        _ configuration: Configuration, topics: TopicBroker? = nil, metrics: ServerMetrics? = nil,
        clients: ClientTable? = nil
    ) throws(SystemError) {
        self.metrics = metrics
        addressLimits = try AddressLimits(configuration, clients)
        unfinishedMessages = UnfinishedMessages(
            byteLimit: configuration.unfinishedMessagesByteLimit)
        heldBodies = HeldBodies(byteLimit: configuration.http.heldBodiesByteLimit)
        var settings = configuration.topics
        settings.messageByteLimit = configuration.connection.messageByteLimit
        self.topics = topics ?? TopicBroker(settings)
        metrics?.count(self.topics)
    }
}

/// Numbers for connections, one after the other over all loops.
final class ConnectionNumbers: Sendable {
    private let last = Atomic<UInt64>(0)
    func next() -> UInt64 { last.add(1, ordering: .relaxed).newValue }
}
