import EventLoop
import Glibc
import Logging
import Processes

// What happens when a process ends: crash reports, restarts, signals.

extension Supervisor {
    /// The process is still there while its backtrace is made, but it serves nobody.
    func generationTrapped(_ generation: Generation) {
        guard generation === current, generation.phase == .serving, !isStopping else { return }
        generation.phase = .stopping
        killIfLate(generation)
        restart()
    }

    /// The process received a signal to end. It closes its connections, and another one serves new
    /// connections at once.
    func generationLeaves(_ generation: Generation) {
        guard generation === current, generation.phase == .serving, !isStopping else { return }
        generation.phase = .stopping
        log(.warning, "the server process received SIGTERM: another one takes its place")
        old.append(generation)
        current = nil
        startAgain()
    }

    func generationEnded(_ generation: Generation, status: Int32, _ phase: Generation.Phase) {
        for timer in [generation.startTimer, generation.retireTimer, generation.stopTimer] {
            timer.map(loop.cancel)
        }
        old.removeAll { $0 === generation }
        // The previous process may have ended before it reported that it had retired.
        if let current, current.phase == .serving, current.change != nil { logReady(current) }
        let hasCrashed = status & 0x7F != 0
        if hasCrashed && !generation.isOverdue && !(isStopping && status & 0x7F == SIGKILL) {
            logCrash(generation, status)
        }
        if isStopping { return endIfAllEnded() }
        if phase == .starting { return failedToStart(generation, status) }
        guard generation === current else { return }
        // It ended neither by a trap, which was reported before, nor by our order.
        current = nil
        if !hasCrashed {
            log(
                .warning, "the server process ended unexpectedly (\(ChildProcess.describe(status)))"
            )
        }
        restart()
    }

    func logCrash(_ generation: Generation, _ status: Int32) {
        let backtrace = Backtrace(generation.backtraceText, root: plan.root)
        let frames = backtrace.lines.map { "\n  " + $0 }.joined()
        let who = escaped(crashSite(generation, backtrace), limit: 1_000)
        let verb = status & 0x7F == SIGKILL ? "was killed" : "trapped"
        log(.critical, "\(who) \(verb): \(ChildProcess.describe(status))\(frames)")
    }

    /// The place in the author's file, if the backtrace has one, and what the process reported.
    func crashSite(_ generation: Generation, _ backtrace: Backtrace) -> String {
        let place = backtrace.place.map { "\(plan.shownRoot)/\($0)" }
        if let trap = generation.trap, !trap.route.isEmpty {
            return place.map { "\($0) (\(trap.route))" }
                ?? "the server process, probably in the handler of \(trap.route) (\(trap.source)),"
        }
        if let making = generation.making {
            return place.map { "\($0) (while the handler was created)" }
                ?? "the server process, while it created the handler of \(making),"
        }
        return place ?? "the server process"
    }

    /// The handler file that kept a process from becoming ready: where it trapped, or what it ran.
    private func failingHandler(_ generation: Generation) -> String? {
        guard generation.making != nil else { return nil }
        let place = Backtrace(generation.backtraceText, root: plan.root).place ?? ""
        let file = place.split(separator: ":").first.map(String.init) ?? ""
        return file.hasSuffix("_wsh.swift") ? file : generation.making
    }

    /// The process ended, or was killed, before it was ready.
    func failedToStart(_ generation: Generation, _ status: Int32) {
        let failing = failingHandler(generation)
        if generation === next { next = nil } else { current = nil }
        if let source = failing, leftOut[source] == nil, generation.isOverdue || status & 0x7F != 0
        {
            let seconds = plan.startTimeout.components.seconds
            leftOut[source] =
                generation.isOverdue
                ? "its handler was not created within \(seconds) s (--start-timeout)"
                : "its code trapped while its handler was created; see the backtrace in the log"
            log(.error, "left out: \(plan.shownRoot)/\(escaped(source)): \(leftOut[source] ?? "")")
            return relaunch(generation)
        }
        if generation.isOverdue {
            log(
                .critical,
                "the server process was not ready within "
                    + "\(plan.startTimeout.components.seconds) s (--start-timeout)")
        }
        if phase == .starting { return end(status & 0x7F == 0 ? max(1, status >> 8 & 0xFF) : 1) }
        if current != nil {
            log(
                .error,
                "the new version does not start (\(ChildProcess.describe(status))); "
                    + "the previous one keeps serving"
            )
            return startPendingRequest()
        }
        restart()
    }

    func relaunch(_ generation: Generation) {
        let new = launch(generation.change)
        if current == nil { current = new } else { next = new }
        if new == nil && current == nil { end(1) }
    }

    func restart() {
        let before = current
        guard let pause = restarts.pauseAfterCrash(at: .current()) else {
            log(
                .critical,
                "\(RestartPolicy.crashLimit) crashes within "
                    + "\(RestartPolicy.interval.components.seconds) s: giving up")
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

    func startAgain() {
        guard !isStopping, current == nil else { return }
        // A new version was about to take over anyway.
        if let next {
            current = next
            self.next = nil
            return
        }
        current = launch(nil)
        if current == nil { restart() }
    }
}

// MARK: - Signals

extension Supervisor {
    func received(_ signal: Int32) {
        switch signal {
        case SIGUSR1:
            log.reopen()
            for generation in generations { generation.signal(SIGUSR1) }
        case SIGHUP:
            guard !isStopping else { return }
            if hasTerminal && !Self.hasTerminal() { return terminalClosed() }
            log(.info, "SIGHUP: a new process takes over")
            request(Request(began: .current(), isForced: true))
        default:
            stop(because: signal == SIGINT ? "SIGINT" : "SIGTERM")
        }
    }

    private func stop(because name: String) {
        switch stopSignals.meaning(ofSignalAt: .current()) {
        case .first: stopAll(.stop(signal: name))
        case .repeated: break
        case .again:
            exitCode = 1
            for generation in generations { generation.send(.force(signal: name)) }
        }
    }

    private func terminalClosed() {
        hasTerminal = false
        if survivesTerminal {
            return log(.info, "the terminal is closed; started by nohup, so the server goes on")
        }
        stop(because: "SIGHUP")
    }

    /// Whether this process belongs to a terminal that is open. A terminal that closes sends
    /// SIGHUP, which otherwise asks for a new process.
    static func hasTerminal() -> Bool {
        let terminal = open("/dev/tty", O_RDONLY | O_NOCTTY | O_CLOEXEC)
        guard terminal >= 0 else { return false }
        close(terminal)
        return true
    }

    var generations: [Generation] { old + [current, next].compactMap(\.self) }

    func stopAll(_ order: Order) {
        // A process may have become ready already: then it has clients, and must not be killed.
        for generation in generations where generation.phase == .starting {
            generation.readReports()
        }
        stopAccepting()
        watch?.stop()
        rebuild?.stop()
        rebuild = nil
        if let restartTimer { loop.cancel(restartTimer) }
        for generation in generations where generation.phase != .ended {
            if generation.phase == .starting { generation.signal(SIGKILL) }
            generation.phase = .stopping
            generation.send(order)
            killIfLate(generation)
        }
        endIfAllEnded()
    }

    func endIfAllEnded() {
        if generations.allSatisfy({ $0.phase == .ended }) { end(0) }
    }
}
