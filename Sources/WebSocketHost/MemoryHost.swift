import EventLoop
import Synchronization
import Topics
import WebSocketConnection
import WebSocketProtocol

/// A worker whose connections come from memory and whose time is moved by hand: the base of
/// `WebSocketHostTesting`.
///
/// From the request's first byte on it is the code that a ``Server`` runs, on a loop of the same
/// kind.
package final class MemoryHost: Sendable {
    private let worker: Worker
    private let hooks: ServingHooks
    package let topics: TopicBroker
    package var loop: Loop { worker.loop }

    package init(_ configuration: Configuration, routes: Routes, log: Log) throws(SystemError) {
        let common = try CommonState(configuration)
        topics = common.topics
        worker = try Worker(configuration, log: log, common, manualTime: ManualTime())
        let ownHosts = configuration.ownHosts(on: [])
        worker.serve(routes, Responders(configuration, routes, topics, ownHosts: ownHosts))
        hooks = ServingHooks(on: worker.loop, log: log, common.topics)
        hooks.serve(routes)
    }

    /// Begins `whileServing` and `feed` of the handlers. From any thread, once.
    package func beginHooks() {
        for part in [RoutePart.whileServing, .feed] { hooks.begin(part) }
    }

    /// What a listener does with a connection. On the loop's thread.
    ///
    /// - Parameter user: the client's user, as if a password had been checked; `nil`: no user.
    package func accept(_ peer: MemoryPeer, from address: SocketAddress, user: String?) {
        worker.openCount.add(1, ordering: .relaxed)
        let stream = EventLoop.Stream(
            peer, peer: address, on: loop,
            drainMark: worker.configuration.connection.sendQueueByteMark)
        worker.begin(stream, user: user)
    }

    /// What ``Server/stop()`` does. On the loop's thread.
    package func drain(onEmpty: @escaping @Sendable () -> Void) {
        guard !worker.connections.isDraining else { return }
        hooks.end(ServingHooks.parts, onEnd: {})
        worker.scheduleDrop(after: worker.configuration.drainTimeout)
        worker.drain(Close(.goingAway), onEmpty: onEmpty)
    }

    /// What ``Server/retire()`` does. On the loop's thread.
    package func retire() {
        hooks.end([.feed], onEnd: {})
        worker.retire { [hooks] in hooks.end(ServingHooks.parts, onEnd: {}) }
    }

    /// Drops all connections and ends the loop. From any thread.
    package func end() {
        hooks.end(ServingHooks.parts, onEnd: {})
        loop.submit { [worker] in worker.dropAll() }
        loop.stop()
    }

    /// Exchanges and connections whose stream is open or whose handler runs. From any thread.
    package var openCount: Int { worker.openCount.load(ordering: .relaxed) }
}
