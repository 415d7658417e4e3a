import EventLoop
import Glibc
import Logging
import Processes

// What happens when a process ends: crash reports and restarts.

extension Supervisor {
    /// The process is still there while its backtrace is made, but it serves nobody.
    func generationTrapped(_ generation: Generation) {
        carryOut(feeds.ended(generation.number))
        answersNoMore(generation)
        guard generation === current, generation.phase == .serving, !isStopping else { return }
        generation.phase = .stopping
        killIfLate(generation)
        restartReason = .trap
        restart(after: generation.trap?.source ?? "")
    }

    /// The process received a signal to end. It closes its connections, and another one serves new
    /// connections at once.
    func generationLeaves(_ generation: Generation) {
        guard generation === current, generation.phase == .serving, !isStopping else { return }
        generation.phase = .stopping
        carryOut(feeds.leaves(generation.number))
        log(.warning, "the server process received SIGTERM: another one takes its place")
        old.append(generation)
        current = nil
        restartReason = .end
        answersNoMore(generation)
        startAgain()
    }

    func generationEnded(_ generation: Generation, status: Int32, _ phase: Generation.Phase) {
        for timer in [generation.startTimer, generation.retireTimer, generation.stopTimer] {
            timer.map(loop.cancel)
        }
        old.removeAll { $0 === generation }
        answersNoMore(generation)
        plan.placeFreed(generation.role.place)
        carryOut(feeds.ended(generation.number))
        // The previous process may have ended before it reported that it had retired.
        if let current, current.phase == .serving, current.change != nil { logReady(current) }
        let hasCrashed = status & 0x7F != 0
        if hasCrashed && !generation.isOverdue && !(isStopping && status & 0x7F == SIGKILL) {
            let handler = logCrash(generation, status)
            // On a thread that is none of the server's: only the backtrace knows whose it was.
            if let handler, let trap = generation.trap, trap.source.isEmpty {
                _ = leaveOutIfTrapping(handler)
            }
        }
        if isStopping { return endIfAllEnded() }
        if phase == .starting { return failedToStart(generation, status) }
        guard generation === current else { return }
        // It ended neither by a trap, which was reported before, nor by our order.
        current = nil
        if !hasCrashed {
            let end = ExitStatus(waitStatus: status)
            log(.warning, "the server process ended unexpectedly (\(end))")
        }
        restartReason = hasCrashed ? .trap : .end
        restart()
    }

    /// - Returns: the handler file that the backtrace shows.
    private func logCrash(_ generation: Generation, _ status: Int32) -> String? {
        let backtrace = Backtrace(generation.backtraceText, root: plan.root)
        let frames = backtrace.lines.map { "\n  " + $0 }.joined()
        let who = escaped(crashSite(generation, backtrace), limit: 1_000)
        let signal = status & 0x7F
        let what =
            signal == SIGKILL
            ? "was killed: \(ExitStatus(waitStatus: status)), by somebody or for lack of memory"
            : "trapped: \(TrapReason.text(signal: signal, backtrace))"
        log(.critical, "\(who) \(what)\(frames)")
        return backtrace.handler
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
        return Backtrace(generation.backtraceText, root: plan.root).handler ?? generation.making
    }

    /// The process ended, or was killed, before it was ready.
    func failedToStart(_ generation: Generation, _ status: Int32) {
        let failing = failingHandler(generation)
        if generation === next { next = nil } else { current = nil }
        if let source = failing.map({ ExactText($0) }), leftOut[source] == nil,
            generation.isOverdue || status & 0x7F != 0
        {
            let seconds = plan.startTimeout.components.seconds
            let reason =
                generation.isOverdue
                ? "its handler was not created within \(seconds) s (--start-timeout)"
                : "its code trapped while its handler was created; see the backtrace in the log"
            leftOut[source] = reason
            log(.error, "left out: \(plan.shownRoot)/\(escaped(source.text)): \(reason)")
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
                "the new version does not start (\(ExitStatus(waitStatus: status))); "
                    + "the previous one keeps serving"
            )
            return startPendingRequest()
        }
        restart()
    }

    func relaunch(_ generation: Generation) {
        let new = launch(generation.change, because: .trap)
        if current == nil { current = new } else { next = new }
        guard new == nil && current == nil else { return }
        if phase == .starting { end(1) } else { restart() }
    }

    /// Starts another process in the place of the present one.
    ///
    /// - Parameter handler: the file whose code trapped; empty if that is not known.
    func restart(after handler: String = "") {
        if let before = current { old.append(before) }
        current = nil
        var pause = restarts.pauseAfterCrash(at: .current())
        if !handler.isEmpty {
            // Without that file there is no reason to wait.
            pause = leaveOutIfTrapping(handler) ? .zero : min(pause, Self.handlerPauseLimit)
        }
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
        current = launch(nil, because: restartReason)
        if current == nil { restart() }
    }
}
