import EventLoop
import Glibc
import Processes
import Supervisor
import TopicBus
import WebSocketHost
import WebSocketProtocol

/// The supervisor's connection to this server process: sends reports, carries out orders.
///
/// `@unchecked Sendable`: `control` is used on the thread of the server's control loop only.
final class SupervisedServer: @unchecked Sendable {
    /// The signals that this process handles; the others that end a program are the supervisor's.
    static let signals = [SIGTERM, SIGUSR1]

    let role: ProcessRole
    let log: Log
    private var control: ControlSocket?
    private var turnTimer: Timer?

    /// - Throws: if the descriptors that the supervisor should have passed are missing.
    init(_ role: ProcessRole, _ log: Log) throws(SystemError) {
        self.role = role
        self.log = log
        // What this process starts is not a server process of the supervisor.
        for variable in ProcessRole.variables + Environment.ofSupervisor { unsetenv(variable) }
        Signals.ignore([SIGINT, SIGHUP])
        for descriptor in role.inheritedDescriptors {
            guard fcntl(descriptor, F_SETFD, FD_CLOEXEC) == 0 else { throw SystemError("fcntl") }
        }
    }

    var announces: Bool { role.announces }
    var isWatched: Bool { role.isWatched }

    func usable(_ registrations: [Registration]) -> [Registration] {
        registrations.map { registration in
            role.leftOut[ExactText(registration.source)].map { registration.leftOut(because: $0) }
                ?? registration
        }
    }

    private func send(_ report: Report) {
        ControlSocket.send(report.text, to: ProcessRole.controlDescriptor)
    }

    /// All handlers are made.
    func reportHandlersMade() { send(.making(source: "")) }

    /// This process received SIGTERM.
    func reportLeaving(_ server: Server) {
        send(.leaving)
        server.leaveAdmin()
        endFeeds(of: server)
    }

    func report(making registration: Registration) { send(.making(source: registration.source)) }

    /// Begins `whileServing` of the handlers behind that, and feeds by order: a process that traps
    /// before it is ready is taken for one that does not start.
    func reportReady(_ server: Server, _ routes: Routes) {
        let broken = routes.listing.count { $0.failure != nil }
        send(.ready(routeCount: routes.listing.count - broken, brokenCount: broken))
        server.beginServing()
        reportTurns(of: server)
    }

    /// As often as the supervisor wants to know.
    private func reportTurns(of server: Server) {
        guard let interval = role.turnReportInterval else { return }
        let loop = server.controlLoop
        loop.submit { [self] in
            let timer = loop.makeTimer { [unowned self, unowned server] in
                if server.haveAllLoopsTurned(within: interval) {
                    send(.turned(connectionCount: server.openConnectionCount))
                }
                if let turnTimer { loop.schedule(turnTimer, after: interval) }
            }
            turnTimer = timer
            loop.schedule(timer, after: interval)
        }
    }

    /// Starts the server on the supervisor's sockets, and carries out its orders.
    func start(_ server: Server, _ routes: Routes, _ end: EndOfServer) throws(ListenError)
        -> [SocketAddress]
    {
        var sockets: [ListeningSocket] = []
        for (descriptor, index) in zip(role.listenerDescriptors, role.listenerIndices) {
            do throws(SystemError) {
                var socket = try ListeningSocket(adopting: descriptor)
                socket.listenerIndex = index
                sockets.append(socket)
            } catch {
                throw .system(error)
            }
        }
        for (source, duration) in role.trapping { routes.leaveOut(source.text, for: duration) }
        installCrashReport(routes)
        let bus = shareTopics(of: server)
        identify(server, bus)
        // A client that is accepted here misses nothing that others publish from then on.
        let addresses = try server.startWithoutHooks(
            on: sockets, willListen: bus.waitForAnswers)
        answerOwner(server)
        let loop = server.controlLoop
        loop.submit { [self] in
            do throws(SystemError) {
                control = try ControlSocket(
                    ProcessRole.controlDescriptor, on: loop,
                    onMessage: { [unowned self] text, descriptor in
                        carryOut(text, descriptor, server, bus, end)
                    },
                    onEnd: { [unowned self] in supervisorEnded(server) })
            } catch {
                log(.error, "cannot receive orders from the supervisor: \(error)")
            }
        }
        return addresses
    }

    private func answerOwner(_ server: Server) {
        do throws(SystemError) {
            if let descriptor = role.runSocketDescriptor {
                server.answerAdmin(on: try ListeningSocket(adopting: descriptor))
            }
            var sockets: [ListeningSocket] = []
            for descriptor in role.adminDescriptors {
                sockets.append(try ListeningSocket(adopting: descriptor))
            }
            server.answerOwner(on: sockets)
        } catch {
            log(.error, "cannot use a socket of the owner: \(error)")
        }
    }

    /// With the processes that served before; those that come later are linked by an order.
    private func shareTopics(of server: Server) -> TopicBus {
        let topics = server.topics
        let bus = TopicBus(
            processNumber: UInt64(role.number), topics, on: server.controlLoop, log: log,
            settings: BusSettings(messageByteLimit: topics.settings.messageByteLimit))
        for descriptor in role.linkDescriptors {
            server.controlLoop.submit { bus.add(FileDescriptor(descriptor)) }
        }
        return bus
    }

    /// Lets it answer for all processes, and be asked by the others.
    private func identify(_ server: Server, _ bus: TopicBus) {
        server.identify(
            as: ServerIdentity(
                version: Program.version, processNumber: UInt64(role.number), began: role.began),
            beside: bus)
        server.controlLoop.submit { [weak server] in
            bus.onQuestion = { server?.answer(question: $0, then: $1) }
        }
    }

    private func installCrashReport(_ routes: Routes) {
        let messages = routes.inActivityOrder.map { route in
            Report.trapped(route: route.path, source: route.source).text
        }
        CrashReport.install(
            ProcessRole.controlDescriptor, messages: messages,
            other: Report.trapped(route: "", source: "").text,
            isLogBehind: { [log] in log.isBehind })
    }

    private func carryOut(
        _ text: String, _ descriptor: consuming FileDescriptor?, _ server: Server,
        _ bus: TopicBus, _ end: EndOfServer
    ) {
        let order = Order(text)
        if order?.endsProcess == true { send(.stopping) }
        switch order {
        case .retire:
            server.retire()
            endFeeds(of: server)
            // Runs after that on the same loop: nothing is accepted any more by then.
            server.controlLoop.submit { [self] in
                send(.retiring(connectionCount: server.openConnectionCount))
            }
        case .stop(let signal):
            end.signal(signal.isEmpty ? "the supervisor stops" : signal, mayForce: false)
        case .replace: server.stop(Close(.serviceRestart))
        case .force(let signal): end.force(signal)
        case .leaveOut(let source, let duration): server.leaveOut(source, for: duration)
        case .link: if let descriptor { bus.add(descriptor) }
        case .answer: if let descriptor { answer(descriptor, server) }
        case .startFeeds: server.startFeeds()
        case .show(let failure): server.show(failure: failure)
        case nil: break
        }
    }

    /// What comes over a connection that the supervisor accepted.
    private func answer(_ descriptor: consuming FileDescriptor, _ server: Server) {
        do throws(SystemError) {
            server.answerAdmin(try AcceptedConnection(adopting: descriptor))
        } catch {
            log(.debug, "a connection of the owner has ended: \(error)")
        }
    }

    private func endFeeds(of server: Server) {
        // In the next turn: by then their last publications are on their way to the other
        // processes, before anything that the next feeds publish.
        server.endFeeds { [self] in server.controlLoop.submit { [self] in send(.feedsEnded) } }
    }

    /// The supervisor ended without an order. Nothing holds the listening sockets any more.
    private func supervisorEnded(_ server: Server) {
        log(.error, "the supervisor is gone: closing \(server.openConnectionCount) connections")
        server.stop()
    }
}
