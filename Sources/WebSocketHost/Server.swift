import ClientLimits
import EventLoop
import Glibc
import Processes
import Synchronization
import Topics
import WebSocketConnection
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
    /// Workers that began while all others were blocked.
    let spares = Mutex<[Worker]>([])
    let control: ControlLoop
    /// Of all listeners.
    let gate = AcceptGate()
    let state: Mutex<State>
    /// Held while threads are joined, which only one caller may do.
    let joining = Mutex(())
    let connectionLimit: Int
    private let common: CommonState
    let changeFeed = ChangeFeed()
    /// They run on the first worker's loop.
    let hooks: ServingHooks
    let isShortageLogged = Atomic<Bool>(false)

    struct State {
        enum Phase { case new, started, retiring, stopping }
        var phase = Phase.new
        var threads: [WorkerThread] = []
        var controlThread: LoopThread?
        var routes: Routes
        var readinessConditions: [ReadinessCondition] = []
        /// Where it answers its owner until its end.
        var adminAddresses: [SocketAddress] = []
        /// Where it listens, by listener.
        var addresses: [[SocketAddress]] = []
        /// Sockets whose files are removed at the end.
        var sockets: [ListeningSocket] = []
        /// From the threads' beginning until they are about to end.
        var isRunning = false
        /// Tasks that wait in ``stopped()``.
        var stopWaiters: [UnsafeContinuation<Void, Never>] = []
    }

    struct WorkerThread {
        let worker: Worker
        let thread: LoopThread
    }

    /// Descriptors kept for what is not a connection: listeners, loops, logs, a handler's files.
    private static let reservedDescriptorCount = 64

    /// - Parameters:
    ///   - routes: more can be added with ``route(_:_:)``.
    ///   - log: standard error, unless given; `Log(settings) { line in … }` hands lines to another.
    ///   - topics: those of another server, to share them; `nil`: its own.
    /// - Throws: ``SystemError`` if the kernel gives no event loop.
    public convenience init(
        _ configuration: Configuration = Configuration(), routes: Routes = Routes(),
        log: Log = Log(), topics: TopicBroker? = nil
    ) throws(SystemError) {
        try self.init(
            configuration, routes: routes, log: log, topics: topics, metrics: ServerMetrics(),
            clients: nil)
    }

    /// - Parameters:
    ///   - metrics: where it counts, which may outlive this process.
    ///   - clients: what all server processes know of their clients; `nil`: this one alone does.
    package init(
        _ configuration: Configuration, routes: Routes, log: Log, topics: TopicBroker? = nil,
        metrics: ServerMetrics, clients: ClientTable?
    ) throws(SystemError) {
        self.configuration = configuration
        self.log = log
        state = Mutex(State(routes: routes))
        let count = configuration.threadCount ?? max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN)))
        control = try ControlLoop()
        common = try CommonState(
            configuration, topics: topics, metrics: metrics, clients: clients)
        var workers: [Worker] = []
        for lane in 0..<max(1, count) {
            workers.append(try Worker(configuration, log: log, common, lane: lane))
        }
        self.workers = workers
        hooks = ServingHooks(on: workers[0].loop, log: log, common.topics)
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

    /// Listens, starts a thread per loop, and begins `whileServing` and `feed` of all handlers.
    /// Returns at once. Once per server; after an address that is not available it may be retried.
    ///
    /// - Returns: the addresses that answer, with the port that the kernel chose for 0.
    /// - Throws: ``ListenError``.
    @discardableResult
    public func start() throws(ListenError) -> [SocketAddress] {
        var adminSockets: [ListeningSocket] = []
        let addresses: [SocketAddress]
        do throws(ListenError) {
            addresses = try start { configuration throws(ListenError) in
                adminSockets = try Self.adminSockets(configuration)
                return try ListeningSockets.open(configuration)
            }
        } catch {
            for socket in adminSockets { socket.end() }
            throw error
        }
        answerOwner(on: adminSockets)
        beginServing()
        startFeeds()
        return addresses
    }

    /// The same on sockets that listen already, which are its own from then on.
    ///
    /// - Throws: ``ListenError``; the sockets are closed then.
    @discardableResult
    public func start(on sockets: [ListeningSocket]) throws(ListenError) -> [SocketAddress] {
        let addresses = try startWithoutHooks(on: sockets)
        beginServing()
        startFeeds()
        return addresses
    }

    /// The same, but `whileServing` and `feed` of the handlers wait for ``beginServing()`` and
    /// ``startFeeds()``.
    ///
    /// - Parameter willListen: called once all loops run, before anything is accepted.
    @discardableResult
    package func startWithoutHooks(
        on sockets: [ListeningSocket], willListen: () -> Void = {}
    ) throws(ListenError) -> [SocketAddress] {
        var isTaken = false
        defer { if !isTaken { for socket in sockets { socket.end() } } }
        return try start(willListen: willListen) { _ in
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
        willListen: () -> Void = {},
        opening: (Configuration) throws(ListenError) -> [ListeningSocket]
    ) throws(ListenError) -> [SocketAddress] {
        Loop.ignoreBrokenPipes()
        let tls = try makeTLS()
        let sockets = try state.withLock { state throws(ListenError) in
            guard state.phase == .new else { throw .alreadyStarted }
            let sockets = try opening(configuration)
            state.phase = .started
            state.sockets = sockets
            state.addresses = configuration.allListeners.indices.map { index in
                sockets.filter { $0.listenerIndex == index }.map(\.address)
            }
            OffloadPool.shared.configure(configuration.offload)
            let ownHosts = configuration.ownHosts(on: sockets.map(\.address))
            var changes: String?
            if configuration.showsChanges, let ownHosts {
                state.routes.add(ChangeFeed.path, changeFeed.handler(ownHosts))
                changes = changeFeed.version
            }
            var responders = Responders(
                configuration, state.routes, common.topics, ownHosts: ownHosts, changes: changes)
            if let path = configuration.healthPath {
                responders.open.append(HealthPathResponder(path, health))
            }
            for worker in workers { worker.serve(state.routes, responders) }
            hooks.serve(state.routes)
            control.makeSpare = {
                [configuration, log, common, routes = state.routes, responders]
                (lane) throws(SystemError) in
                let worker = try Worker(configuration, log: log, common, lane: lane)
                worker.serve(routes, responders)
                worker.tls = tls
                return worker
            }
            return sockets
        }
        for worker in workers { worker.tls = tls }
        do throws(SystemError) {
            try control.keep(sockets)
            try startThreads()
        } catch {
            control.close()
            for socket in sockets { socket.end() }
            throw .system(error)
        }
        willListen()
        // The listeners keep the server until stop().
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
        var threads: [WorkerThread] = []
        do {
            for worker in workers {
                threads.append(WorkerThread(worker: worker, thread: try worker.loop.start()))
            }
            // Before the control loop begins, which may end all this at once.
            state.withLock { [threads] in
                $0.threads = threads
                $0.isRunning = true
            }
            let controlThread = try control.loop.start()
            state.withLock { $0.controlThread = controlThread }
        } catch {
            state.withLock {
                $0.threads = []
                $0.isRunning = false
            }
            for worker in workers { worker.loop.stop() }
            for thread in threads { thread.thread.join() }
            throw error
        }
        for (index, worker) in workers.enumerated() { startReporting(worker, loopIndex: index) }
        control.loop.submit { [self] in startMonitor() }
    }
}

extension Server {
    /// Calls `body` on a thread that runs no handler for each of these signals, which must have
    /// been blocked with ``Signals/block(_:)`` before ``start()``.
    public func onSignals(_ signals: [Int32], _ body: @escaping @Sendable (Int32) -> Void) {
        control.loop.submit { [control, log] in
            do throws(SystemError) {
                control.signals = try Signals(signals, on: control.loop, onSignal: body)
            } catch {
                log(.error, "signals are not handled: \(error)")
            }
        }
    }

    /// Where one of ``Configuration/listeners`` answers, with the port that the kernel chose for 0;
    /// empty before ``start()``.
    public func addresses(ofListener index: Int) -> [SocketAddress] {
        state.withLock { $0.addresses.indices.contains(index) ? $0.addresses[index] : [] }
    }

    /// For publishing to its connections, from any thread.
    public var topics: TopicBroker { common.topics }

    /// What it counts.
    var counted: ServerMetrics? { common.metrics }

    /// The loops of connections, without spare ones; the first one accepts.
    package var loops: [Loop] { workers.map(\.loop) }

    /// The loop that runs no handler, so that none blocks it.
    package var controlLoop: Loop { control.loop }

    /// With the spare ones that have begun.
    var allWorkers: [Worker] { workers + spares.withLock(\.self) }
}
