import EventLoop
import Glibc
import Logging
import Processes

// What becomes of a process that ends, and what takes its place.

extension Supervisor {
    /// It still lives, while its backtrace is made, but serves no more.
    func generationTrapped(_ generation: Generation) {
        guard generation === current, generation.phase == .serving, !isStopping else { return }
        generation.phase = .stopping
        killLate(generation)
        restart()
    }

    /// Somebody told it to end. It closes its connections; new ones do not wait for that.
    func generationLeaves(_ generation: Generation) {
        guard generation === current, generation.phase == .serving, !isStopping else { return }
        generation.phase = .stopping
        log(.warning, "the server process was told to end: another one takes its place")
        old.append(generation)
        current = nil
        startAgain()
    }

    func generationEnded(_ generation: Generation, status: Int32, _ phase: Generation.Phase) {
        for timer in [generation.startTimer, generation.retireTimer, generation.stopTimer] {
            timer.map(loop.cancel)
        }
        old.removeAll { $0 === generation }
        // The one before ended without a word.
        if let current, current.phase == .serving, current.change != nil { tellReady(current) }
        let hasCrashed = status & 0x7F != 0
        if hasCrashed && !generation.isOverdue && !(isStopping && status & 0x7F == SIGKILL) {
            tellCrash(generation, status)
        }
        if isStopping { return endIfAlone() }
        if phase == .starting { return failedToStart(generation, status) }
        guard generation === current else { return }
        // Neither a trap, which was noticed before, nor an order of ours ended it.
        current = nil
        if !hasCrashed {
            log(.warning, "the server process ended by itself (\(ChildProcess.describe(status)))")
        }
        restart()
    }

    func tellCrash(_ generation: Generation, _ status: Int32) {
        let backtrace = Backtrace(generation.backtraceText, root: plan.root)
        let frames = backtrace.lines.map { "\n  " + $0 }.joined()
        let who = escaped(suspect(generation, backtrace), limit: 1_000)
        let verb = status & 0x7F == SIGKILL ? "was killed" : "trapped"
        log(.critical, "\(who) \(verb): \(ChildProcess.describe(status))\(frames)")
    }

    /// The place in the author's file, if the backtrace has one, and what the process said it was
    /// at.
    func suspect(_ generation: Generation, _ backtrace: Backtrace) -> String {
        let place = backtrace.place.map { "\(plan.shownRoot)/\($0)" }
        if let trap = generation.trap, !trap.route.isEmpty {
            return place.map { "\($0) (\(trap.route))" }
                ?? "the server process, at best in the handler of \(trap.route) (\(trap.source)),"
        }
        if let making = generation.making {
            return place.map { "\($0) (when the handler was made)" }
                ?? "the server process, when it made the handler of \(making),"
        }
        return place ?? "the server process"
    }

    /// The handler file whose code ended a process that was not ready: where it trapped, or what
    /// ran.
    private func culprit(_ generation: Generation) -> String? {
        guard generation.making != nil else { return nil }
        let place = Backtrace(generation.backtraceText, root: plan.root).place ?? ""
        let file = place.split(separator: ":").first.map(String.init) ?? ""
        return file.hasSuffix("_wsh.swift") ? file : generation.making
    }

    /// It ended, or was killed, before it accepted anything.
    func failedToStart(_ generation: Generation, _ status: Int32) {
        let culprit = culprit(generation)
        let isFirst = !hasServed
        if generation === next { next = nil } else { current = nil }
        if let source = culprit, leftOut[source] == nil, generation.isOverdue || status & 0x7F != 0
        {
            let seconds = plan.startTimeout.components.seconds
            leftOut[source] =
                generation.isOverdue
                ? "its handler was not made within \(seconds) s (--start-timeout)"
                : "its code trapped when its handler was made; the log has the backtrace"
            log(.error, "left out: \(plan.shownRoot)/\(escaped(source)): \(leftOut[source] ?? "")")
            return relaunch(generation)
        }
        if generation.isOverdue {
            log(
                .critical,
                "the server process did not serve within \(plan.startTimeout.components.seconds) s")
        }
        if isFirst { return end(status & 0x7F == 0 ? max(1, status >> 8 & 0xFF) : 1) }
        if current != nil {
            log(
                .error,
                "the new version does not start (\(ChildProcess.describe(status))); the one before "
                    + "serves on"
            )
            return goOn()
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

    func startAgain() {
        guard !isStopping, current == nil else { return }
        // One that was about to take over anyway.
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
            for generation in everyone { generation.signal(SIGUSR1) }
        case SIGHUP:
            guard !isStopping else { return }
            if hasTerminal && !Self.hasTerminal() { return stopAll(.stop(signal: "SIGHUP")) }
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

    /// Whether this process belongs to a terminal that is still there: one that is closed sends
    /// SIGHUP.
    static func hasTerminal() -> Bool {
        let terminal = open("/dev/tty", O_RDONLY | O_NOCTTY | O_CLOEXEC)
        guard terminal >= 0 else { return false }
        close(terminal)
        return true
    }

    var everyone: [Generation] { old + [current, next].compactMap(\.self) }

    func stopAll(_ order: Order) {
        // One that serves by now has clients, and must not be killed as one that is only starting.
        for generation in everyone where generation.phase == .starting { generation.readReports() }
        isStopping = true
        refuseConnections()
        watch?.stop()
        rebuild?.stop()
        rebuild = nil
        if let restartTimer { loop.cancel(restartTimer) }
        for generation in everyone where generation.phase != .ended {
            if generation.phase == .starting { generation.signal(SIGKILL) }
            generation.phase = .stopping
            generation.send(order)
            killLate(generation)
        }
        endIfAlone()
    }

    func endIfAlone() {
        if everyone.allSatisfy({ $0.phase == .ended }) { end(0) }
    }
}
