import EventLoop
import Glibc
import Processes
import Synchronization
import WebSocketProtocol

/// Listeners, event loops and handlers, running.
///
/// ```swift
/// let server = try Server()
/// try server.route("/echo", echo)
/// try await server.run { addresses in print("listening on \(addresses)") }
/// ```
///
/// ``run(onStart:)`` lasts as long as its task; ``start()`` and ``stop()`` go without one. Neither
/// touches signals, but for SIGPIPE, which is ignored from the start on.
public final class Server: Sendable {
    private let configuration: Configuration
    private let log: Log
    let workers: [Worker]
    let state: Mutex<State>
    /// Held while threads are joined, which only one caller may do.
    private let joining = Mutex(())
    private let monitor = LoopMonitor()
    private let connectionLimit: Int
    private let changeFeed = ChangeFeed()
    private let isShortageLogged = Atomic<Bool>(false)

    struct State {
        enum Phase { case new, started, retiring, stopping }
        var phase = Phase.new
        var threads: [LoopThread] = []
        var drainingWorkerCount = 0
        var routes: Routes
        /// From the threads' beginning until they are about to end.
        var isRunning = false
        /// Who waits in ``stopped()``.
        var stopWaiters: [UnsafeContinuation<Void, Never>] = []
    }

    /// Descriptors kept for what is not a connection: listeners, loops, logs, a handler's files.
    private static let reservedDescriptorCount = 64

    /// - Parameters:
    ///   - routes: more can be added with ``route(_:_:)``.
    ///   - log: standard error, unless given; `Log(settings) { line in … }` hands lines to another.
    /// - Throws: ``SystemError`` if the kernel gives no event loop.
    public init(
        _ configuration: Configuration = Configuration(), routes: Routes = Routes(),
        log: Log = Log()
    ) throws(SystemError) {
        self.configuration = configuration
        self.log = log
        state = Mutex(State(routes: routes))
        let count = configuration.threadCount ?? max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN)))
        let pages = Pages(routes)
        let site = Site(configuration)
        let connectionIDs = ConnectionIDs()
        var workers: [Worker] = []
        for _ in 0..<max(1, count) {
            workers.append(
                try Worker(
                    configuration: configuration, routes: routes, pages: pages, site: site,
                    log: log,
                    connectionIDs: connectionIDs))
        }
        self.workers = workers
        let descriptorLimit = DescriptorLimit.raise()
        connectionLimit = min(
            configuration.connectionLimit, max(1, descriptorLimit - Self.reservedDescriptorCount))
        if connectionLimit < configuration.connectionLimit {
            log(
                .warning,
                "only \(connectionLimit) connections: this process may have \(descriptorLimit) open "
                    + "descriptors (ulimit -n)")
        }
    }

    /// Listens, and starts a thread per loop. Returns at once. Once per server; after an address
    /// could not be had it may be tried again.
    ///
    /// - Returns: the addresses that answer, with the port that the kernel chose for 0.
    /// - Throws: ``ListenError``.
    @discardableResult
    public func start() throws(ListenError) -> [SocketAddress] {
        try start { configuration throws(ListenError) in try ListeningSockets.open(configuration) }
    }

    /// The same on sockets that listen already, which are its own from then on.
    ///
    /// - Throws: ``ListenError``; the sockets are closed then.
    @discardableResult
    public func start(on sockets: [ListeningSocket]) throws(ListenError) -> [SocketAddress] {
        var isTaken = false
        defer { if !isTaken { for socket in sockets { socket.close() } } }
        return try start { _ in
            isTaken = true
            return sockets
        }
    }

    /// Opens what ``start()`` listens on, for ``start(on:)`` of another process.
    public static func listeningSockets(
        _ configuration: Configuration
    ) throws(ListenError) -> [ListeningSocket] {
        try ListeningSockets.open(configuration)
    }

    private func start(
        opening: (Configuration) throws(ListenError) -> [ListeningSocket]
    ) throws(ListenError) -> [SocketAddress] {
        Loop.ignoreBrokenPipes()
        let tls = try makeTLS()
        let sockets = try state.withLock { state throws(ListenError) in
            guard state.phase == .new else { throw .alreadyStarted }
            let sockets = try opening(configuration)
            state.phase = .started
            if configuration.showsChanges { state.routes.add(ChangeFeed.path, changeFeed.handler) }
            let pages = Pages(
                state.routes, changes: configuration.showsChanges ? changeFeed.version : nil)
            for worker in workers { worker.serve(state.routes, pages) }
            return sockets
        }
        for worker in workers { worker.tls = tls }
        do throws(SystemError) {
            try startThreads()
        } catch {
            for socket in sockets { socket.close() }
            throw .system(error)
        }
        // The first worker accepts for all: so none has more to do than another. Its listeners keep
        // the server until stop().
        workers[0].loop.submit { [self] in listen(on: sockets) }
        return sockets.map(\.address)
    }

    private func makeTLS() throws(ListenError) -> TLSServer? {
        guard let tls = configuration.tls else { return nil }
        do throws(TLSFileError) {
            return try TLSServer(tls) { [log] notice in
                switch notice {
                case .reloaded: log(.info, "\(notice)")
                case .outdated: log(.warning, escaped("\(notice)", limit: 1_000))
                case .notReloaded: log(.error, escaped("\(notice)", limit: 1_000))
                }
            }
        } catch {
            throw .tls(error)
        }
    }

    private func startThreads() throws(SystemError) {
        var threads: [LoopThread] = []
        do {
            for worker in workers { threads.append(try worker.loop.start()) }
            threads.append(try startMonitor())
            startReporting()
        } catch {
            for worker in workers { worker.loop.stop() }
            for thread in threads { thread.join() }
            throw error
        }
        state.withLock { [threads] in
            $0.threads = threads
            $0.isRunning = true
        }
    }

    /// On the first loop's thread.
    private func listen(on sockets: [ListeningSocket]) {
        for socket in sockets {
            if workers[0].isDraining {
                socket.close()
                continue
            }
            do throws(SystemError) {
                let listener = try Listener(
                    socket, on: workers[0].loop, onShortage: tellShortage, onAccept: accepted)
                workers[0].listeners.append(listener)
            } catch {
                log(.critical, "cannot accept on \(socket.address): \(error)")
            }
        }
    }

    private func accepted(_ connection: AcceptedConnection) {
        isShortageLogged.store(false, ordering: .relaxed)
        guard openConnectionCount < connectionLimit else {
            log.peerEvent(
                .refusedConnection, .debug,
                "refused \(connection.peer): \(connectionLimit) connections are open (--max-connections)")
            return workers[0].refuse(connection)
        }
        var chosen = 0
        var fewest = Int.max
        for (index, worker) in workers.enumerated() {
            let count = worker.openCount.load(ordering: .relaxed)
            if count < fewest { (chosen, fewest) = (index, count) }
        }
        let worker = workers[chosen]
        worker.openCount.add(1, ordering: .relaxed)
        if chosen == 0 {
            worker.adopt(connection)
        } else {
            worker.loop.submit { worker.adopt(connection) }
        }
    }

    private func tellShortage(_ error: SystemError) {
        guard !isShortageLogged.exchange(true, ordering: .relaxed) else { return }
        log(.error, "no new connections for the moment: \(error); those open go on")
    }

    private func startReporting() {
        guard let interval = configuration.loopReportInterval else { return }
        for (index, worker) in workers.enumerated() {
            worker.loop.submit { worker.startReporting(every: interval, loopIndex: index) }
        }
    }

    private func startMonitor() throws(SystemError) -> LoopThread {
        let routes = workers[0].routes
        return try monitor.start(
            watching: workers.map(\.loop), threshold: configuration.blockedLoopThreshold,
            onLook: { [log] in log.reportOmittedPeerEvents() }
        ) { [log] stall in
            let route =
                routes.all.indices.contains(stall.activity)
                ? "the handler of \(escaped(routes.all[stall.activity].path))" : "something"
            let milliseconds = stall.duration.wholeNanoseconds / 1_000_000
            log(
                .warning,
                stall.isOver
                    ? "\(route) blocked its thread for \(milliseconds) ms"
                    : "\(route) has been blocking its thread for \(milliseconds) ms: its other "
                        + "connections wait. Use await instead of sleeping or waiting.")
        }
    }
}

// MARK: - Stopping

extension Server {
    /// Refuses new connections, closes those open, and drops what is left after
    /// ``Configuration/drainTimeout``. Returns at once; a second call does nothing.
    ///
    /// - Parameter close: what clients are told; by default 1001.
    public func stop(_ close: Close = Close(.goingAway)) {
        let phase = state.withLock { state in
            defer { state.phase = .stopping }
            if state.phase == .started { state.drainingWorkerCount = workers.count }
            return state.phase
        }
        guard phase == .started || phase == .retiring else { return }
        leave { [self] worker in
            worker.scheduleDrop(after: configuration.drainTimeout)
            worker.drain(close) { [self] in drained() }
        }
    }

    /// Takes no new connections, and stops when those open have ended: another process took over
    /// the listening sockets. Returns at once. ``stop(_:)`` may follow.
    public func retire() {
        let isRunning = state.withLock { state in
            guard state.phase == .started else { return false }
            state.phase = .retiring
            state.drainingWorkerCount = workers.count
            return true
        }
        guard isRunning else { return }
        changeFeed.finish()
        leave { worker in worker.retire { [self] in drained() } }
    }

    /// Tells the index pages that are open what the compiler says of the author's last change;
    /// empty: nothing. Only with ``Configuration/showsChanges``.
    public func show(failure: String) { changeFeed.show(failure: failure) }

    /// The first worker before the others, so that what it accepted and handed over comes first
    /// there.
    private func leave(_ body: @escaping @Sendable (Worker) -> Void) {
        workers[0].loop.submit { [workers] in
            workers[0].closeListeners()
            body(workers[0])
            for worker in workers.dropFirst() { worker.loop.submit { body(worker) } }
        }
    }

    /// Drops all connections at once and stops.
    public func forceStop() {
        stop()
        // Weak: a loop that has ended keeps what it is given.
        for worker in workers { worker.loop.submit { [weak worker] in worker?.dropAll() } }
    }

    private func drained() {
        let isLast = state.withLock { state in
            state.drainingWorkerCount -= 1
            return state.drainingWorkerCount == 0
        }
        guard isLast else { return }
        monitor.stop()
        // What is called at a signal may hold the server.
        workers[0].loop.submit { [worker = workers[0]] in worker.ignoreSignals() }
        for worker in workers { worker.loop.stop() }
        joinForWaiters()
    }

    /// Blocks the calling thread, which is no loop's, until the server has stopped.
    public func waitUntilStopped() {
        joining.withLock { _ in
            let threads = state.withLock { state in
                defer { state.threads = [] }
                return state.threads
            }
            for thread in threads { thread.join() }
        }
    }

    /// Calls `body` on the first loop's thread for each of these signals, which must have been
    /// blocked with ``Signals/block(_:)`` before ``start()``.
    public func onSignals(_ signals: [Int32], _ body: @escaping @Sendable (Int32) -> Void) {
        workers[0].loop.submit { [worker = workers[0], log] in
            do throws(SystemError) {
                worker.signals = try Signals(signals, on: worker.loop, onSignal: body)
            } catch {
                log(.error, "signals are not handled: \(error)")
            }
        }
    }

    /// The threads' loops; the first one accepts.
    package var loops: [Loop] { workers.map(\.loop) }

    /// How many connections are open, handshakes under way included.
    public var openConnectionCount: Int {
        workers.reduce(0) { $0 + $1.openCount.load(ordering: .relaxed) }
    }
}
