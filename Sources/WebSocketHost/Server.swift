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
    let configuration: Configuration
    let log: Log
    let workers: [Worker]
    let state: Mutex<State>
    /// Held while threads are joined, which only one caller may do.
    let joining = Mutex(())
    let monitor = LoopMonitor()
    private let connectionLimit: Int
    let changeFeed = ChangeFeed()
    private let isShortageLogged = Atomic<Bool>(false)

    struct State {
        enum Phase { case new, started, retiring, stopping }
        var phase = Phase.new
        var threads: [LoopThread] = []
        var drainingWorkerCount = 0
        var routes: Routes
        /// From the threads' beginning until they are about to end.
        var isRunning = false
        /// Tasks that wait in ``stopped()``.
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
        let numbers = ConnectionNumbers()
        var workers: [Worker] = []
        for _ in 0..<max(1, count) {
            workers.append(try Worker(configuration, log: log, numbers: numbers))
        }
        self.workers = workers
        let descriptorLimit = DescriptorLimit.raise()
        connectionLimit = min(
            configuration.connectionLimit, max(1, descriptorLimit - Self.reservedDescriptorCount))
        if connectionLimit < configuration.connectionLimit {
            log(
                .warning,
                "only \(connectionLimit) connections: "
                    + "this process may have \(descriptorLimit) open descriptors (ulimit -n)")
        }
    }

    /// Listens, and starts a thread per loop. Returns at once. Once per server; after an address
    /// that is not available it may be retried.
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
            let responders = Responders(
                configuration, state.routes,
                changes: configuration.showsChanges ? changeFeed.version : nil)
            for worker in workers { worker.serve(state.routes, responders) }
            return sockets
        }
        for worker in workers { worker.tls = tls }
        do throws(SystemError) {
            try startThreads()
        } catch {
            for socket in sockets { socket.close() }
            throw .system(error)
        }
        // The first worker accepts for all, and gives each connection to the one with the fewest.
        // Its listeners keep the server until stop().
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
            if workers[0].connections.isDraining {
                socket.close()
                continue
            }
            do throws(SystemError) {
                let listener = try Listener(
                    socket, on: workers[0].loop, onShortage: logShortage, onAccept: accepted)
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
                "refused \(connection.peer): \(connectionLimit) connections are open "
                    + "(--max-connections)")
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

    private func logShortage(_ error: SystemError) {
        guard !isShortageLogged.exchange(true, ordering: .relaxed) else { return }
        log(.error, "cannot accept connections for now: \(error); open ones are unaffected")
    }

    private func startReporting() {
        guard let interval = configuration.loopReportInterval else { return }
        for (index, worker) in workers.enumerated() {
            worker.loop.submit { worker.startReporting(every: interval, loopIndex: index) }
        }
    }

    private func startMonitor() throws(SystemError) -> LoopThread {
        let routes = workers[0].connections.routes
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

extension Server {
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
