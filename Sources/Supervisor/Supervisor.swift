import EventLoop
import Glibc
import WebSocketConnection

/// Holds the listening sockets, and keeps a process serving on them: starts it again when it dies, and
/// another one in its place when the author changed something.
///
/// Makes no connection and no handler of its own.
///
/// `@unchecked Sendable`: everything is touched on the thread that calls ``run()`` only.
package final class Supervisor: @unchecked Sendable {
    /// What to supervise.
    package struct Plan: Sendable {
        package var executable: String
        package var arguments: [String]
        /// `NAME=value`.
        package var environment: [String]
        package var sockets: [ListeningSocket]
        /// How to build it anew; `nil`: nobody can.
        package var builder: Rebuild.Builder?
        /// The handlers directory, where messages and backtraces name its files; to be watched or not.
        package var root = ""
        /// As the author names it.
        package var shownRoot = ""
        package var watches = false
        /// Whether the Swift runtime has a program for that.
        package var makesBacktraces = true
        /// From its start until a process accepts; then it is killed.
        package var startTimeout: Duration = .seconds(10)
        /// From being replaced until a process closes its connections with 1012; `nil`: it does not.
        package var oldGenerationTimeout: Duration?
        /// So many replaced processes may have connections; then the oldest closes them.
        package var oldGenerationLimit = 4
        /// From the order to end until a process is killed.
        package var stopTimeout: Duration = .seconds(15)

        package init(executable: String, arguments: [String], environment: [String], sockets: [ListeningSocket]) {
            self.executable = executable
            self.arguments = arguments
            self.environment = environment
            self.sockets = sockets
        }
    }

    let plan: Plan
    let loop: Loop
    let log: Log
    private var signals: Signals?
    private var watch: HandlersWatch?
    private var exitCode: Int32 = 0
    private var isStopping = false
    private var lastNumber = 0
    private var restarts = RestartPolicy()
    private var leftOut: [String: String] = [:]

    /// Serves, or starts and has served never yet.
    private var current: Generation?
    /// Starts, to take the place of `current`.
    private var next: Generation?
    /// The oldest first.
    private var old: [Generation] = []
    private var hasServed = false
    private var startTimer: Timer?
    private var restartTimer: Timer?

    private var rebuild: Rebuild?
    /// What to do when the build under way is over.
    private var pending: Request?
    private var failure = ""

    private struct Request {
        var began: MonotonicTime
        /// A new process even if nothing changed.
        var isForced: Bool
    }

    package static let signals = [SIGINT, SIGTERM, SIGHUP, SIGUSR1]

    /// - Parameter plan: the sockets are its own from then on.
    package init(_ plan: Plan, log: Log) throws(SystemError) {
        self.plan = plan
        self.log = log
        loop = try Loop()
    }

    /// Serves until a signal says otherwise. ``signals`` must have been blocked before.
    ///
    /// - Returns: the exit code.
    package func run() -> Int32 {
        loop.submit { [unowned self] in
            do throws(SystemError) {
                signals = try Signals(Self.signals, on: loop) { [unowned self] in received($0) }
            } catch {
                log(.error, "signals are not handled: \(error)")
            }
            current = launch(nil)
            if current == nil { end(1) }
        }
        loop.run()
        for socket in plan.sockets { socket.close() }
        return exitCode
    }

    private func end(_ code: Int32) {
        exitCode = max(exitCode, code)
        watch?.stop()
        rebuild?.stop()
        loop.stop()
    }

    // MARK: - Starting a process

    private func launch(_ change: Change?) -> Generation? {
        lastNumber += 1
        let role = ProcessRole(
            listenerCount: plan.sockets.count, announces: !hasServed, isWatched: plan.watches, leftOut: leftOut)
        do throws(SystemError) {
            let generation = try Generation(number: lastNumber, role: role, plan: plan, supervisor: self)
            generation.change = change
            let timer = loop.makeTimer { [unowned self] in overdue() }
            startTimer = timer
            loop.schedule(timer, at: .current() + plan.startTimeout)
            return generation
        } catch {
            log(.critical, "no server process can be started: \(error)")
            return nil
        }
    }

    private var starting: Generation? {
        if let next { return next }
        return current?.phase == .starting ? current : nil
    }

    private func overdue() {
        guard let starting, starting.phase == .starting else { return }
        starting.isOverdue = true
        starting.signal(SIGKILL)
    }

    func generationReady(_ generation: Generation, routeCount: Int, brokenCount: Int) {
        guard generation.phase == .starting else { return }
        generation.phase = .serving
        if let startTimer { loop.cancel(startTimer) }
        hasServed = true
        let before = generation === next ? current : nil
        if generation === next {
            next = nil
            current = generation
        }
        if !failure.isEmpty { generation.send(.show(failure: failure)) }
        tellReady(generation, routeCount, brokenCount)
        if let before { retire(before) }
        startWatching()
        goOn()
    }

    private func tellReady(_ generation: Generation, _ routeCount: Int, _ brokenCount: Int) {
        if let change = generation.change {
            let time = Self.seconds(since: change.began)
            let broken = brokenCount == 0 ? "" : ", \(brokenCount) left out"
            log(.info, "\(change.what): live after \(time); \(routeCount) routes\(broken)")
        } else if generation.number > 1 && !generation.role.announces {
            log(.info, "serving again")
        }
    }

    static func seconds(since began: MonotonicTime) -> String {
        let milliseconds = (MonotonicTime.current().nanoseconds - began.nanoseconds) / 1_000_000
        return "\(milliseconds / 1_000).\(milliseconds / 100 % 10)\(milliseconds / 10 % 10) s"
    }
}

// MARK: - Old generations

extension Supervisor {
    private func retire(_ generation: Generation) {
        guard generation.phase == .serving else { return }
        generation.phase = .retired
        old.append(generation)
        generation.send(.retire)
        if let timeout = plan.oldGenerationTimeout {
            let timer = loop.makeTimer { [weak self, weak generation] in
                guard let generation, generation.phase == .retired else { return }
                self?.log(
                    .info, "the version before closes its connections with 1012 after --drain-timeout")
                self?.replace(generation)
            }
            loop.schedule(timer, at: .current() + timeout)
            generation.retireTimer = timer
        }
        let retired = old.filter { $0.phase == .retired }
        guard retired.count > plan.oldGenerationLimit, let oldest = retired.first else { return }
        log(
            .info,
            "the oldest of \(retired.count) versions before closes its connections with 1012 "
                + "(--max-old-generations)")
        replace(oldest)
    }

    private func replace(_ generation: Generation) {
        generation.phase = .stopping
        generation.send(.replace)
        killLate(generation)
    }

    private func killLate(_ generation: Generation) {
        let timer = loop.makeTimer { [weak self, weak generation] in
            guard let generation, generation.phase != .ended else { return }
            self?.log(.warning, "a server process did not end when it was told to: killed")
            generation.signal(SIGKILL)
        }
        generation.stopTimer = timer
        loop.schedule(timer, at: .current() + plan.stopTimeout)
    }

    func generationRetired(_ generation: Generation, connectionCount: Int) {
        guard connectionCount > 0 else { return }
        let noun = connectionCount == 1 ? "connection goes" : "connections go"
        log(.info, "\(connectionCount) \(noun) on with the version before")
    }
}

// MARK: - Ends

extension Supervisor {
    /// It still lives, while its backtrace is made, but serves no more.
    func generationTrapped(_ generation: Generation) {
        guard generation === current, generation.phase == .serving, !isStopping else { return }
        generation.phase = .stopping
        restart()
    }

    func generationEnded(_ generation: Generation, status: Int32, _ phase: Generation.Phase) {
        for timer in [generation.retireTimer, generation.stopTimer] { timer.map(loop.cancel) }
        old.removeAll { $0 === generation }
        let hasCrashed = status & 0x7F != 0
        if hasCrashed && !generation.isOverdue && !(isStopping && status & 0x7F == SIGKILL) {
            tellCrash(generation, status)
        }
        if isStopping { return endIfAlone() }
        if phase == .starting { return failedToStart(generation, status) }
        guard generation === current else { return }
        // Neither a trap, which was noticed before, nor an order of ours ended it.
        current = nil
        if !hasCrashed { log(.warning, "the server process ended by itself (\(ChildProcess.describe(status)))") }
        restart()
    }

    private func tellCrash(_ generation: Generation, _ status: Int32) {
        let backtrace = Backtrace(generation.backtraceText, root: plan.root)
        var who = "the server process"
        if let place = backtrace.place {
            who = "\(plan.shownRoot)/\(place)"
        }
        if let trap = generation.trap, !trap.route.isEmpty {
            who += backtrace.place == nil ? ", at best in the handler of \(trap.route) (\(trap.source))," : " (\(trap.route))"
        } else if let making = generation.making {
            who += backtrace.place == nil ? ", when it made the handler of \(making)," : " (when the handler was made)"
        }
        log(
            .critical,
            escaped("\(who) trapped: \(ChildProcess.describe(status))", limit: 1_000)
                + (backtrace.lines.isEmpty ? "" : "\n  " + backtrace.lines.joined(separator: "\n  ")))
    }

    /// It ended, or was killed, before it accepted anything.
    private func failedToStart(_ generation: Generation, _ status: Int32) {
        if let startTimer { loop.cancel(startTimer) }
        let hadMade = generation.making
        let isFirst = !hasServed
        if generation === next { next = nil } else { current = nil }
        if let source = hadMade, leftOut[source] == nil, generation.isOverdue || status & 0x7F != 0 {
            let seconds = plan.startTimeout.components.seconds
            leftOut[source] = generation.isOverdue
                ? "its handler was not made within \(seconds) s (--start-timeout)"
                : "its code trapped when its handler was made; the log has the backtrace"
            log(.error, "left out: \(plan.shownRoot)/\(escaped(source)): \(leftOut[source] ?? "")")
            return relaunch(generation)
        }
        if generation.isOverdue {
            log(.critical, "the server process did not serve within \(plan.startTimeout.components.seconds) s")
        }
        if isFirst { return end(status & 0x7F == 0 ? max(1, status >> 8 & 0xFF) : 1) }
        if generation.change != nil || current != nil {
            log(.error, "the new version does not start (\(ChildProcess.describe(status))); the one before serves on")
            return goOn()
        }
        restart()
    }

    private func relaunch(_ generation: Generation) {
        let new = launch(generation.change)
        if current == nil { current = new } else { next = new }
        if new == nil && current == nil { end(1) }
    }

    private func restart() {
        let before = current
        guard let pause = restarts.pauseAfterCrash(at: .current()) else {
            log(
                .critical,
                "\(RestartPolicy.crashLimit) crashes within "
                    + "\(RestartPolicy.interval.components.seconds) s: given up")
            if let before { old.append(before) }
            current = nil
            exitCode = 1
            return stopAll(.stop(signal: ""))
        }
        if let before { old.append(before) }
        current = nil
        guard pause > .zero else { return startAgain() }
        let timer = loop.makeTimer { [unowned self] in startAgain() }
        restartTimer = timer
        loop.schedule(timer, at: .current() + pause)
    }

    private func startAgain() {
        guard !isStopping, current == nil else { return }
        // One that was about to take over anyway.
        if let next {
            current = next
            self.next = nil
            return
        }
        current = launch(nil)
        if current == nil { end(1) }
    }
}

// MARK: - Signals

extension Supervisor {
    private func received(_ signal: Int32) {
        switch signal {
        case SIGUSR1:
            log.reopen()
            for generation in everyone { generation.signal(SIGUSR1) }
        case SIGHUP:
            guard !isStopping else { return }
            log(.info, "SIGHUP: a new process takes over")
            request(Request(began: .current(), isForced: true))
        default:
            let name = signal == SIGINT ? "SIGINT" : "SIGTERM"
            if isStopping {
                exitCode = 1
                for generation in everyone { generation.send(.force(signal: name)) }
            } else {
                stopAll(.stop(signal: name))
            }
        }
    }

    private var everyone: [Generation] { old + [current, next].compactMap(\.self) }

    private func stopAll(_ order: Order) {
        isStopping = true
        watch?.stop()
        rebuild?.stop()
        rebuild = nil
        for timer in [startTimer, restartTimer] { timer.map(loop.cancel) }
        for generation in everyone where generation.phase != .ended {
            if generation.phase == .starting { generation.signal(SIGKILL) }
            generation.phase = .stopping
            generation.send(order)
            killLate(generation)
        }
        endIfAlone()
    }

    private func endIfAlone() {
        if everyone.allSatisfy({ $0.phase == .ended }) { end(0) }
    }
}

// MARK: - Changes

extension Supervisor {
    private func startWatching() {
        guard plan.watches, watch == nil else { return }
        let watch = HandlersWatch(root: plan.root, on: loop, log: log) { [unowned self] began in
            request(Request(began: began, isForced: false))
        }
        self.watch = watch
        watch.start()
        // What changed since it was built.
        request(Request(began: .current(), isForced: false))
    }

    private func request(_ request: Request) {
        guard rebuild == nil, next == nil, current?.phase == .serving else {
            pending = Request(
                began: pending?.began ?? request.began, isForced: request.isForced || pending?.isForced == true)
            return
        }
        build(request)
    }

    /// What waited for a build, or for a process to be ready.
    private func goOn() {
        guard let waiting = pending, !isStopping else { return }
        pending = nil
        request(waiting)
    }

    private func build(_ request: Request) {
        guard let builder = plan.builder else { return changeOver(request, Rebuild.Outcome()) }
        do throws(SystemError) {
            rebuild = try Rebuild(builder, on: loop) { [unowned self] outcome in
                rebuild = nil
                built(request, outcome)
            }
        } catch {
            log(.error, "nothing was built: \(error)")
        }
    }

    private func built(_ request: Request, _ outcome: Rebuild.Outcome) {
        let isNew = FileIdentity(plan.executable) != current?.binary
        if !outcome.messages.isEmpty { log.announce(outcome.messages.trimmedEnd) }
        let names = outcome.broken.map { escaped($0, limit: 200) }.joined(separator: ", ")
        if !outcome.broken.isEmpty {
            let verb = outcome.broken.count == 1 ? "does" : "do"
            log(.error, "\(names) \(verb) not compile; what worked before is served on")
        } else if !outcome.isBuilt {
            log(.error, "not built after \(Self.seconds(since: request.began)); what worked before is served on")
        }
        let hasFailed = !outcome.isBuilt || !outcome.broken.isEmpty
        if hasFailed || isNew || !failure.isEmpty { show(hasFailed ? outcome.messages : "") }
        if outcome.isBuilt && (isNew || request.isForced) {
            changeOver(request, outcome)
        } else {
            goOn()
        }
    }

    private func show(_ text: String) {
        // As much as fits into a message.
        failure = String(text.prefix(ControlSocket.messageByteLimit / 8))
        current?.send(.show(failure: failure))
    }

    private func changeOver(_ request: Request, _ outcome: Rebuild.Outcome) {
        var what = outcome.changed.map { escaped($0, limit: 200) }.joined(separator: ", ")
        if what.isEmpty { what = request.isForced ? "a new process" : "a new version" }
        // Its code may be another now.
        leftOut = [:]
        next = launch(Change(began: request.began, what: what))
        if next == nil { goOn() }
    }
}

extension String {
    /// Without line ends behind the last line.
    var trimmedEnd: String {
        var text = self
        while text.last?.isNewline == true { text.removeLast() }
        return text
    }
}
