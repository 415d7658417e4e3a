import EventLoop
import Logging

// Handler files that trap again and again.

extension Supervisor {
    /// For everybody else: a single file is left out before its traps give reason to wait longer.
    static let handlerPauseLimit: Duration = .milliseconds(400)

    /// Notes a trap in a handler file.
    ///
    /// - Returns: whether it is left out for that.
    func leaveOutIfTrapping(_ handler: String) -> Bool {
        guard let pause = trapping.trapped(handler, at: .current()) else { return false }
        log(
            .error,
            "left out: \(plan.shownRoot)/\(escaped(handler)) traps again and again; it answers "
                + "503, and is tried again in \(pause.components.seconds) s")
        for generation in [current, next] {
            generation?.send(.leaveOut(source: handler, duration: pause))
        }
        let timer = loop.makeTimer { [unowned self] in
            log(.info, "\(plan.shownRoot)/\(escaped(handler)) is served again")
        }
        returnTimers.updateValue(timer, forKey: ExactText(handler)).map(loop.cancel)
        loop.schedule(timer, at: .current() + pause)
        return true
    }

    /// The files may have been corrected.
    func forgetTraps() {
        trapping.forgetAll()
        for timer in returnTimers.values { loop.cancel(timer) }
        returnTimers = [:]
    }
}
