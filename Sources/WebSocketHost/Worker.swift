import EventLoop
import Glibc
import HTTPProtocol
import Processes
import Synchronization
import WebSocketProtocol

/// One event loop with its connections.
///
/// `@unchecked Sendable`: the lists and `isDraining` are touched on the loop's thread only;
/// `openCount` is atomic.
final class Worker: @unchecked Sendable {
    let loop: Loop
    let configuration: Configuration
    /// Set before the loop begins, as the pages that list them.
    @exclusivity(unchecked) private(set) var routes: Routes
    private(set) var pages: Pages
    let site: Site
    var dateTexts = DateTexts()
    let log: Log
    private let connectionIDs: ConnectionIDs

    @exclusivity(unchecked) private var exchanges = Roster<Exchange>()
    @exclusivity(unchecked) private var connections = Roster<Connection>()
    /// By the route's index; made when the route is first used.
    @exclusivity(unchecked) private var endpoints: [Endpoint?]
    private let compressionPool: CompressionPool
    let handlerTasks: HandlerTasks
    private var compressionTimer: EventLoop.Timer?
    private var refused = 0
    private var drainTimer: EventLoop.Timer?
    private var dropTimer: EventLoop.Timer?
    var reportTimer: EventLoop.Timer?
    /// Of the worker that accepts for all.
    var listeners: [Listener] = []
    var signals: Signals?
    /// Set before the loop begins.
    @exclusivity(unchecked) var tls: TLSServer?
    @exclusivity(unchecked) private(set) var isDraining = false
    /// New connections go to another process; those open go on here until they end.
    @exclusivity(unchecked) private(set) var isRetiring = false
    /// No connection outlives the answer that it waits for.
    var isLeaving: Bool { isDraining || isRetiring }
    private var onEmpty: (@Sendable () -> Void)?

    /// Exchanges and connections together, for the server to balance and to limit. A connection
    /// counts until its descriptor is closed and its handler has ended.
    let openCount = Atomic<Int>(0)

    init(
        configuration: Configuration, routes: Routes, pages: Pages, site: Site, log: Log,
        connectionIDs: ConnectionIDs, manualTime: ManualTime? = nil
    ) throws(SystemError) {
        loop = try Loop(manualTime: manualTime)
        handlerTasks = HandlerTasks(on: loop)
        self.configuration = configuration
        self.routes = routes
        self.pages = pages
        self.site = site
        self.log = log
        self.connectionIDs = connectionIDs
        endpoints = Array(repeating: nil, count: routes.all.count)
        compressionPool = CompressionPool(configuration.connection.compression)
    }

    func nextConnectionID() -> UInt64 { connectionIDs.next() }

    /// The time, as an answer's `Date` has it.
    var dateText: String { dateTexts.text(secondsSince1970: time(nil)) }

    /// Before the loop begins.
    func serve(_ routes: Routes, _ pages: Pages) {
        self.routes = routes
        self.pages = pages
        endpoints = Array(repeating: nil, count: routes.all.count)
    }

    /// Takes over an accepted connection, which is counted already. On the loop's thread.
    func adopt(_ accepted: AcceptedConnection) {
        do throws(SystemError) {
            let stream = try accepted.makeStream(
                on: loop, tls: tls, drainMark: configuration.connection.sendQueueByteMark)
            adopt(stream, user: nil, accepted.localAddress)
        } catch {
            openCount.subtract(1, ordering: .relaxed)
            log(.error, "a connection from \(accepted.peer) was dropped: \(error)")
        }
    }

    /// Takes over a stream, which is counted already. On the loop's thread.
    ///
    /// - Parameter user: who asks, where that is known before the first request.
    func adopt(_ stream: Stream, user: String?, _ localAddress: SocketAddress? = nil) {
        let exchange = Exchange(stream: stream, worker: self, localAddress: localAddress)
        exchange.user = user
        exchanges.add(exchange)
        exchange.start()
        if isDraining { exchange.close() }
    }

    /// Answers a connection over the limit with 503. On the loop's thread.
    func refuse(_ accepted: AcceptedConnection) {
        guard let stream = try? accepted.makeStream(on: loop, tls: tls) else { return }
        guard refused < Self.refusalLimit else { return stream.close() }
        refused += 1
        let refusal = Refusal { [weak self] in self?.refused -= 1 }
        stream.delegate = refusal
        let text = "The server has as many connections as it takes (--max-connections)."
        stream.write(
            Response(.serviceUnavailable, text: text).bytes(
                isHead: false, isLast: true, date: dateText))
        stream.closeAfterSending(linger: Self.refusalLinger)
    }

    /// How many refused clients may be reading their 503 at once; more are closed without one.
    private static let refusalLimit = 128
    private static let refusalLinger: Duration = .seconds(1)
}

/// A stream that only says goodbye.
private final class Refusal: StreamDelegate {
    private let onClose: () -> Void
    init(_ onClose: @escaping () -> Void) { self.onClose = onClose }
    func streamReceived(_ bytes: UnsafeMutableRawBufferPointer) {}
    func streamReachedEnd() {}
    func streamDrained() {}
    func streamFailed(_ error: SystemError) {}
    func streamClosed() { onClose() }
}

/// Numbers for connections, one after the other over all loops.
final class ConnectionIDs: Sendable {
    private let last = Atomic<UInt64>(0)
    func next() -> UInt64 { last.add(1, ordering: .relaxed).newValue }
}

// MARK: - Who is here

extension Worker {
    /// An exchange whose stream is closed.
    func remove(_ exchange: Exchange) {
        if exchanges.remove(exchange) { left() }
    }

    /// An exchange that became a connection: the worker is not empty in between.
    func replace(_ exchange: Exchange, by connection: Connection) {
        connections.add(connection)
        if !exchanges.remove(exchange) { openCount.add(1, ordering: .relaxed) }
    }

    private func remove(_ connection: Connection) {
        if connections.remove(connection) { left() }
    }

    private func left() {
        openCount.subtract(1, ordering: .relaxed)
        if isLeaving { tellIfEmpty() }
    }
}

extension Connection: RosterMember {}

extension Worker {
    /// On the loop's thread.
    func report(_ loopIndex: Int) -> LoopReport {
        LoopReport(
            loopIndex: loopIndex, connectionCount: connections.count,
            exchangeCount: exchanges.count,
            queuedByteCount: connections.members.reduce(0) { $0 + $1.queuedByteCount }
                + exchanges.members.reduce(0) { $0 + $1.stream.queuedByteCount },
            waitingJobCount: loop.waitingJobCount, longestTurn: loop.takeLongestTurn())
    }
}

// MARK: - What routes share

extension Worker {
    /// What the connections of a route share on this loop.
    func endpoint(of route: Route) -> Endpoint {
        if let endpoint = endpoints[route.index] { return endpoint }
        var settings = configuration.connection
        var passiveClosingHandshake: WebSocketHandler.PassiveClosingHandshake?
        var controlHooks = ControlHooks()
        if case .handler(let handler) = route.content {
            handler.hooks.settings.apply(to: &settings)
            passiveClosingHandshake = handler.hooks.passiveClosingHandshake
            controlHooks = handler.hooks.controlHooks
        }
        let endpoint = Endpoint(
            role: .server, loop: loop, log: log, settings: settings, name: escaped(route.path),
            activity: route.index, compressionPool: compressionPool, controlHooks: controlHooks,
            passiveClosingHandshake: passiveClosingHandshake
        ) { [weak self] connection in self?.remove(connection) }
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
            for connection in connections.members { connection.releaseIdleCompression() }
            if let compressionTimer { loop.schedule(compressionTimer, after: idleTimeout) }
        }
        compressionTimer = timer
        loop.schedule(timer, after: idleTimeout)
    }
}

// MARK: - Stopping

extension Worker {
    /// Waits for what is open to end by itself. On the loop's thread, and before
    /// ``drain(_:onEmpty:)``.
    ///
    /// - Parameter onEmpty: called once nothing is open.
    func retire(onEmpty: @escaping @Sendable () -> Void) {
        isRetiring = true
        self.onEmpty = onEmpty
        handlerTasks.end()
        for exchange in exchanges.members { exchange.closeIfKept() }
        tellIfEmpty()
    }

    /// Closes what is idle at once and the connections with a code, spread over half of the drain
    /// time so that not all clients come back in one moment. On the loop's thread.
    ///
    /// - Parameter onEmpty: called once nothing is open; if it was told when retiring, not again.
    func drain(_ close: Close, onEmpty: @escaping @Sendable () -> Void) {
        guard !isDraining else { return }
        isDraining = true
        if !isRetiring { self.onEmpty = onEmpty }
        handlerTasks.end()
        for exchange in exchanges.members { exchange.closeIfIdle() }
        closeSome(close, pauses: Self.drainSteps)
        tellIfEmpty()
    }

    private static let drainSteps = 50
    /// Closed per step at least; fewer clients than this need no spreading.
    private static let drainStepMinimum = 100

    private func closeSome(_ close: Close, pauses: Int) {
        let waiting = connections.members.filter { !$0.isDone }
        guard !waiting.isEmpty else { return }
        let count = max(Self.drainStepMinimum, waiting.count / max(1, pauses))
        for connection in waiting.prefix(count) { connection.sendClose(close) }
        guard count < waiting.count else { return }
        drainTimer = loop.makeTimer { [unowned self] in closeSome(close, pauses: pauses - 1) }
        if let drainTimer {
            loop.schedule(drainTimer, after: configuration.drainTimeout / (2 * Self.drainSteps))
        }
    }

    func closeListeners() {
        for listener in listeners { listener.close() }
        listeners = []
    }

    func ignoreSignals() {
        signals?.close()
        signals = nil
    }

    func scheduleDrop(after delay: Duration) {
        let timer = loop.makeTimer { [unowned self] in
            let count = exchanges.count + connections.count
            guard count > 0 else { return }
            log(.warning, "\(count) connections dropped after --drain-timeout")
            dropAll()
        }
        dropTimer = timer
        loop.schedule(timer, after: delay)
    }

    /// Drops everything. On the loop's thread.
    func dropAll() {
        for exchange in exchanges.members { exchange.close() }
        for connection in connections.members { connection.drop() }
        handlerTasks.end()
        // Handlers that go on all the same are not waited for.
        connections.removeAll()
        exchanges.removeAll()
        tellIfEmpty()
    }

    private func tellIfEmpty() {
        guard exchanges.isEmpty, connections.isEmpty, let onEmpty else { return }
        self.onEmpty = nil
        // Or they would fire while other loops still drain, or while this worker goes away.
        for timer in [drainTimer, dropTimer, compressionTimer, reportTimer] {
            timer.map(loop.cancel)
        }
        onEmpty()
    }
}
