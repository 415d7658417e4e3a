import EventLoop
import WebSocketConnection
import WebSocketProtocol

/// What the connections of a client on one event loop share.
struct ClientLoop: Sendable {
    let endpoint: Endpoint
    let open: OpenConnections

    init(endpoint: Endpoint, open: OpenConnections) {
        self.endpoint = endpoint
        self.open = open
    }

    /// - Parameter owner: what has to live as long as there are connections.
    init(
        _ configuration: ClientConfiguration, on loop: Loop, log: Log,
        _ unfinishedMessages: UnfinishedMessages, owner: AnyObject?
    ) {
        let open = OpenConnections()
        self.open = open
        endpoint = Endpoint(
            role: .client, loop: loop, log: log, settings: configuration.connection, name: "client",
            compressionPool: CompressionPool(configuration.connection.compression),
            unfinishedMessages: unfinishedMessages, owner: owner,
            onLeave: { open.remove(WebSocket($0).id) })
    }

    /// Drops all connections, and refuses new ones.
    func stop() {
        endpoint.loop.submit { [open] in open.dropAll() }
    }
}

/// The connections and dials of a client on one loop, by number, with what drops each.
///
/// `@unchecked Sendable`: touched on the loop's thread only.
final class OpenConnections: @unchecked Sendable {
    private var drops: [UInt64: () -> Void] = [:]
    private var isStopped = false

    /// - Returns: false if nothing may be opened any more.
    func add(_ id: UInt64, drop: @escaping () -> Void) -> Bool {
        guard !isStopped else { return false }
        drops[id] = drop
        return true
    }

    func replace(_ id: UInt64, drop: @escaping () -> Void) { drops[id] = drop }

    func remove(_ id: UInt64) { drops[id] = nil }

    func dropAll() {
        isStopped = true
        for drop in drops.values { drop() }
    }
}

/// A loop and its thread, which ends with this.
final class RunningLoop: Sendable {
    let loop: Loop
    let thread: LoopThread

    init() throws(SystemError) {
        loop = try Loop()
        thread = try loop.start()
    }

    deinit { loop.stop() }
}
