import EventLoop
import Glibc
import Logging
import Processes

// What ends all, and what asks for a new process.

extension Supervisor {
    func received(_ signal: Int32) {
        switch signal {
        case SIGUSR1:
            log.reopen()
            for generation in generations { generation.signal(SIGUSR1) }
        case SIGHUP:
            guard !isStopping else { return }
            guard hasTerminal else { return takeOver() }
            loop.schedule(terminalTimer, at: .current() + Self.terminalDelay)
        default:
            stop(because: signal == SIGINT ? "SIGINT" : "SIGTERM")
        }
    }

    /// From SIGHUP until the terminal is looked for: one that closes can still be opened for a
    /// moment after it has sent that.
    static let terminalDelay: Duration = .milliseconds(100)

    func lookForTerminal() {
        guard !isStopping else { return }
        if Self.hasTerminal() { takeOver() } else { terminalClosed() }
    }

    private func takeOver() {
        tell(service.reloads(at: .current()))
        switch plan.reload() {
        case .impossible(let reason):
            log(
                .error,
                "SIGHUP: \(escaped(reason, limit: 1_000)); the running process goes on with the "
                    + "options that it has")
            return settleService()
        case .possible(let unchanged):
            log(.info, "SIGHUP: a new process takes over")
            if !unchanged.isEmpty {
                log(
                    .warning,
                    "SIGHUP: changed, but in effect only when the server is started anew: "
                        + unchanged.joined(separator: ", "))
            }
        }
        request(Request(began: .current(), isForced: true))
    }

    private func stop(because name: String) {
        switch stopSignals.meaning(ofSignalAt: .current()) {
        case .first: stopAll(.stop(signal: name))
        case .repeated: break
        case .again:
            exitCode = 1
            for generation in generations { force(generation, name) }
        }
    }

    /// From the order to end until a process that says nothing to that is named.
    static let silenceLimit: Duration = .seconds(1)
    /// From the order to drop all until a process is killed.
    static let forceTimeout: Duration = .seconds(2)

    private func force(_ generation: Generation, _ name: String) {
        guard generation.isSilent else {
            generation.send(.force(signal: name))
            return killIfLate(generation, after: Self.forceTimeout)
        }
        log(.warning, "\(name) again: the server process \(generation.pid) is killed")
        generation.signal(SIGKILL)
    }

    /// Whoever waits shall know for what.
    private func nameTheSilent() {
        let rest = (plan.stopTimeout - Self.silenceLimit).components.seconds
        for generation in generations where generation.isSilent && generation.trap == nil {
            log(
                .warning,
                "the server process \(generation.pid) does not answer: it is killed in \(rest) s, "
                    + "at a second signal at once")
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
        forgetTraps()
        for generation in generations where generation.phase != .ended {
            if generation.phase == .starting { generation.signal(SIGKILL) }
            generation.phase = .stopping
            generation.send(order)
            killIfLate(generation)
        }
        chooseWhoAnswers()
        let timer = loop.makeTimer { [unowned self] in nameTheSilent() }
        silenceTimer = timer
        loop.schedule(timer, at: .current() + Self.silenceLimit)
        endIfAllEnded()
    }

    func endIfAllEnded() {
        if generations.allSatisfy({ $0.phase == .ended }) { end(0) }
    }
}
