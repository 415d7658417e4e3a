import EventLoop
import Glibc
import Processes

/// One server process, from its start to its end.
final class Generation {
    enum Phase {
        /// Creates its handlers.
        case starting
        case serving
        /// A later generation serves; the connections of this one continue.
        case retired
        /// It has been ordered to end, or has trapped.
        case stopping
        case ended
    }

    let role: ProcessRole
    /// From 1.
    var number: Int { role.number }
    /// The change that it was started for; `nil`: the first start, or a restart after a crash.
    var change: Change?
    var phase = Phase.starting
    /// The handler file that is creating its handler, before the process is ready.
    private(set) var making: String?
    /// Whether it has said that it carries out an order to end.
    private(set) var hasAnswered = false
    /// Whether it accepts what its owner asks: no other process has taken its place.
    var answersOwner = false
    private(set) var trap: (route: String, source: String)?
    /// Whether it was killed because it did not become ready in time.
    var isOverdue = false
    /// Known once it is ready.
    var routeCounts = (served: 0, broken: 0)
    /// As it said last.
    var connectionCount = 0
    var startTimer: Timer?
    var retireTimer: Timer?
    var stopTimer: Timer?
    /// The file that it runs, or one with the same content.
    var binary: FileStamp?
    private let backtraceFile: MemoryFile?
    private var process: WatchedProcess?
    private var control: ControlSocket?
    /// Is notified of its reports and its end.
    private weak var supervisor: Supervisor?

    /// - Parameter links: to other processes; they stay the caller's.
    init(role: ProcessRole, links: [Int32], plan: Supervisor.Plan, supervisor: Supervisor)
        throws(SystemError)
    {
        self.role = role
        self.supervisor = supervisor
        binary = FileStamp(plan.executable)
        backtraceFile = plan.makesBacktraces ? try? MemoryFile(name: "backtrace") : nil
        let (ours, theirs) = try ControlSocket.pair()
        defer { close(theirs) }
        control = try ControlSocket(
            ours, on: supervisor.loop, onMessage: { [weak self] text, _ in self?.received(text) },
            onEnd: { [weak self] in self?.control = nil })
        do throws(SystemError) {
            process = try WatchedProcess(
                launch(plan, control: theirs, links), on: supervisor.loop,
                onEnd: { [weak self] in self?.ended($0) })
        } catch {
            control?.close()
            throw error
        }
    }

    private func launch(
        _ plan: Supervisor.Plan, control: Int32, _ links: [Int32]
    ) -> ProcessLaunch {
        var environment = plan.environment + role.environment
        if let backtraceFile {
            environment.append(
                "SWIFT_BACKTRACE=enable=yes,interactive=no,color=no,threads=crashed,registers=none,"
                    + "images=none,limit=40,output-to=\(backtraceFile.path)")
        }
        return ProcessLaunch(
            path: plan.executable, arguments: plan.arguments, environment: environment,
            descriptors: [0, 1, 2, control] + plan.sockets.map(\.descriptor)
                + [plan.runSocket?.socket.descriptor].compactMap(\.self)
                + plan.adminSockets.map(\.descriptor) + links
                + plan.memories.map(\.descriptor),
            // Until the process handles them itself: the supervisor decides what they mean.
            blockedSignals: [SIGINT, SIGTERM, SIGHUP, SIGUSR1])
    }

    /// Its time to become ready is over.
    func killOverdue() {
        guard phase == .starting else { return }
        isOverdue = true
        signal(SIGKILL)
    }

    /// Handles the reports that have arrived but that the loop has not read yet.
    func readReports() { control?.ready(.readable) }

    /// It was ordered to end, and has not said that it does.
    var isSilent: Bool { phase == .stopping && !hasAnswered }
    var pid: pid_t { process?.pid ?? -1 }

    /// - Returns: whether it was sent.
    @discardableResult
    func send(_ order: Order, descriptor: Int32? = nil) -> Bool {
        control?.send(order.text, descriptor: descriptor) ?? false
    }
    func signal(_ number: Int32) { process?.signal(number) }

    var backtraceText: String { backtraceFile?.text(byteLimit: Backtrace.byteLimit) ?? "" }

    private func received(_ text: String) {
        guard let supervisor, let report = Report(text) else { return }
        switch report {
        case .making(let source): making = source.isEmpty ? nil : source
        case .ready(let routes, let broken):
            making = nil
            supervisor.generationReady(self, routeCount: routes, brokenCount: broken)
        case .trapped(let route, let source):
            trap = (route, source)
            supervisor.generationTrapped(self)
        case .leaving: supervisor.generationLeaves(self)
        case .stopping: hasAnswered = true
        case .turned(let count): supervisor.generationTurned(self, connectionCount: count)
        case .feedsEnded: supervisor.carryOut(supervisor.feeds.isOver(number))
        case .retiring(let count): supervisor.generationRetired(self, connectionCount: count)
        }
    }

    private func ended(_ status: Int32) {
        readReports()
        control?.close()
        let before = phase
        phase = .ended
        supervisor?.generationEnded(self, status: status, before)
    }
}

/// A change of handler files.
struct Change {
    /// When the first file was saved.
    let began: MonotonicTime
    /// Such as `chat_wsh.swift changed`.
    let what: String
}
