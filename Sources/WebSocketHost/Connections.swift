import EventLoop
import HTTPServer
import Synchronization
import Topics
import WebSocketConnection
import WebSocketProtocol

/// The WebSocket connections of one loop, and what those of a route share there. Belongs to the
/// loop's thread.
final class Connections {
    let loop: Loop
    let log: Log
    let configuration: Configuration
    /// Set before the loop begins.
    @exclusivity(unchecked) private(set) var routes = Routes()
    /// Set before the loop begins. For any thread.
    @exclusivity(unchecked) private(set) var openCounts = RouteCounts(routeCount: 0)
    /// Connections get their Close, in steps; new ones at once.
    @exclusivity(unchecked) private(set) var isDraining = false
    @exclusivity(unchecked) private var members = Roster<Connection>()
    /// By the route's index; made when the route is first used.
    @exclusivity(unchecked) private var endpoints: [Endpoint?] = []
    let tasks: HandlerTasks
    /// `nil`: no client is limited by its address.
    let limiter: ClientLimiter?
    private let common: CommonState
    private let compressionPool: CompressionPool
    private let topics: LoopTopics
    /// `nil`: nothing is counted. Its routes are set before the loop begins.
    let counters: LoopMetrics?
    private var compressionTimer: EventLoop.Timer?
    private var drainTimer: EventLoop.Timer?
    /// Called for each connection that is closed and whose handler has ended.
    @exclusivity(unchecked) var onLeave: (_ stream: ObjectIdentifier) -> Void = { _ in }

    init(
        on loop: Loop, lane: Int = 0, _ configuration: Configuration, log: Log,
        _ common: CommonState
    ) {
        self.loop = loop
        self.log = log
        self.configuration = configuration
        self.common = common
        tasks = HandlerTasks(on: loop)
        limiter = common.addressLimits.map { ClientLimiter($0, configuration, log: log) }
        compressionPool = CompressionPool(configuration.connection.compression)
        counters = common.metrics.map { LoopMetrics($0, lane: lane) }
        topics = LoopTopics(
            common.topics, on: loop, compressionPool, cells: counters?.topicCells)
    }

    /// Before the loop begins.
    func serve(_ routes: Routes) {
        self.routes = routes
        openCounts = RouteCounts(routeCount: routes.all.count)
        counters?.serve(routes)
        endpoints = Array(repeating: nil, count: routes.all.count)
    }

    var count: Int { members.count }
    var isEmpty: Bool { members.isEmpty }
    /// In no order.
    subscript(index: Int) -> Connection { members[index] }
    /// Whether all that is left is handlers that go on.
    var areAllEnded: Bool { members.members.allSatisfy(\.hasEnded) }
    var queuedByteCount: Int { members.members.reduce(0) { $0 + $1.queuedByteCount } }

    var topicBroker: TopicBroker { common.topics }
    var heldBodies: HeldBodies { common.heldBodies }

    func nextID() -> UInt64 { common.numbers.next() }

    /// - Parameters:
    ///   - route: the one whose endpoint the connection was made with.
    ///   - duration: of the handshake.
    func add(_ connection: Connection, to route: Route, after duration: Duration) {
        counters?.accepted(route, after: duration)
        members.add(connection)
        openCounts.add(1, to: route.index)
    }

    private func remove(_ connection: Connection, of index: Int) {
        guard members.remove(connection) else { return }
        openCounts.add(-1, to: index)
        onLeave(connection.streamID)
    }
}

extension Connection: RosterMember {}

// MARK: - Measuring

extension Connections {
    /// What waits to be sent on so many connections, from one of them on.
    func queuedByteCount(from index: Int, limit: Int) -> Int {
        let all = members.members
        let range = min(index, all.count)..<min(index + limit, all.count)
        return all[range].reduce(0) { $0 + $1.queuedByteCount }
    }
}

// MARK: - What routes share

extension Connections {
    /// What the connections of a route share on this loop.
    func endpoint(of route: Route) -> Endpoint {
        if let endpoint = endpoints[route.index] { return endpoint }
        var settings = configuration.connection
        var passiveClosingHandshake: PassiveClosingHook?
        var controlHooks = ControlHooks()
        var slowSubscribers: SlowSubscriberPolicy?
        if case .handler(let handler) = route.content {
            handler.hooks.options.apply(to: &settings)
            passiveClosingHandshake = handler.hooks.passiveClosingHandshake
            controlHooks = handler.hooks.options.controlHooks
            slowSubscribers = handler.hooks.options.slowSubscribers
        }
        let endpoint = Endpoint(
            role: .server, loop: loop, log: log, settings: settings, name: escaped(route.path),
            activity: route.activity, logsConnections: route.path != ChangeFeed.path,
            compressionPool: compressionPool, unfinishedMessages: common.unfinishedMessages,
            controlHooks: controlHooks, counters: counters?.connectionCounters(of: route),
            passiveClosingHandshake: passiveClosingHandshake, owner: common.metrics,
            companions: TopicCompanions(topics, slowSubscribers: slowSubscribers)
        ) { [weak self, index = route.index] connection in self?.remove(connection, of: index) }
        endpoints[route.index] = endpoint
        if settings.compression.mode == .dedicated { sweepCompression() }
        return endpoint
    }

    /// Now and then gives back what idle connections keep for compression; only where context is
    /// kept.
    private func sweepCompression() {
        guard compressionTimer == nil else { return }
        let idleTimeout = configuration.connection.compressionIdleTimeout
        let timer = loop.makeTimer { [unowned self] in
            for connection in members.members { connection.releaseIdleCompression() }
            if let compressionTimer { loop.schedule(compressionTimer, after: idleTimeout) }
        }
        compressionTimer = timer
        loop.schedule(timer, after: idleTimeout)
    }
}

// MARK: - Stopping

extension Connections {
    private static let drainSteps = 50
    /// Closed per step at least; fewer clients than this need no spreading.
    private static let drainStepMinimum = 100

    /// Closes the connections with a code, spread over half of the drain time so that not all
    /// clients come back in one moment.
    func drain(_ close: Close) {
        isDraining = true
        closeSome(close, pauses: Self.drainSteps)
    }

    private func closeSome(_ close: Close, pauses: Int) {
        let waiting = members.members.filter { !$0.isDone }
        guard !waiting.isEmpty else { return }
        let count = max(Self.drainStepMinimum, waiting.count / max(1, pauses))
        for connection in waiting.prefix(count) { connection.sendClose(close) }
        guard count < waiting.count else { return }
        let timer = loop.makeTimer { [unowned self] in closeSome(close, pauses: pauses - 1) }
        drainTimer = timer
        loop.schedule(timer, after: configuration.drainTimeout / (2 * Self.drainSteps))
    }

    /// Drops all connections and forgets them: handlers that go on all the same are not waited for.
    func dropAll() {
        tasks.end()
        for connection in members.members { connection.drop() }
        members.removeAll()
        openCounts.reset()
    }

    /// Ends what would go on without any connection: timers would fire while other loops still
    /// drain, or while this one goes away.
    func end() {
        topics.leave()
        for timer in [drainTimer, compressionTimer] { timer.map(loop.cancel) }
    }
}
