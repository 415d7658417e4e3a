import EventLoop
import Glibc
import Logging
import Processes

/// Holds the listening sockets, and keeps a process serving on them: starts it again when it dies,
/// and another one in its place when the author changed something.
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
        /// The handlers directory, where messages and backtraces name its files; to be watched or
        /// not.
        package var root = ""
        /// As the author names it.
        package var shownRoot = ""
        package var watches = false
        /// Whether the Swift runtime has a program for that.
        package var makesBacktraces = true
        /// From its start until a process accepts; then it is killed.
        package var startTimeout: Duration = .seconds(10)
        /// From being replaced until a process closes its connections with 1012; `nil`: it does
        /// not.
        package var oldGenerationTimeout: Duration?
        /// So many replaced processes may have connections; then the oldest closes them.
        package var oldGenerationLimit = 4
        /// From the order to end until a process is killed.
        package var stopTimeout: Duration = .seconds(15)

        package init(
            executable: String, arguments: [String], environment: [String],
            sockets: [ListeningSocket]
        ) {
            self.executable = executable
            self.arguments = arguments
            self.environment = environment
            self.sockets = sockets
        }
    }

    let plan: Plan
    let loop: Loop
    let log: Log
    let hasTerminal = Supervisor.hasTerminal()
    var signals: Signals?
    var watch: HandlersWatch?
    var exitCode: Int32 = 0
    var isStopping = false
    var lastNumber = 0
    var restarts = RestartPolicy()
    var leftOut: [String: String] = [:]

    /// Serves, or starts and has served never yet.
    var current: Generation?
    /// Starts, to take the place of `current`.
    var next: Generation?
    /// The oldest first.
    var old: [Generation] = []
    var hasServed = false
    var hasClosedSockets = false
    var announcementTimer: Timer?
    static let announcementTimeout: Duration = .seconds(2)
    var restartTimer: Timer?

    var rebuild: Rebuild?
    /// What to do when the build under way is over.
    var pending: Request?
    var failure = ""

    struct Request {
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
        refuseConnections()
        return exitCode
    }

    /// Without anyone who accepts, clients would wait for nothing.
    func refuseConnections() {
        guard !hasClosedSockets else { return }
        hasClosedSockets = true
        for socket in plan.sockets { socket.close() }
    }

    func end(_ code: Int32) {
        exitCode = max(exitCode, code)
        watch?.stop()
        rebuild?.stop()
        loop.stop()
    }

    // MARK: - Starting a process

    func launch(_ change: Change?) -> Generation? {
        lastNumber += 1
        let role = ProcessRole(
            listenerCount: plan.sockets.count, announces: !hasServed, isWatched: plan.watches,
            leftOut: leftOut)
        do throws(SystemError) {
            let generation = try Generation(
                number: lastNumber, role: role, plan: plan, supervisor: self)
            generation.change = change
            let timer = loop.makeTimer { [weak generation] in generation?.killOverdue() }
            generation.startTimer = timer
            loop.schedule(timer, at: .current() + plan.startTimeout)
            return generation
        } catch {
            log(.critical, "no server process can be started: \(error)")
            return nil
        }
    }

    func generationReady(_ generation: Generation, routeCount: Int, brokenCount: Int) {
        guard generation.phase == .starting else { return }
        generation.phase = .serving
        if let startTimer = generation.startTimer { loop.cancel(startTimer) }
        hasServed = true
        let before = generation === next ? current : nil
        if generation === next {
            next = nil
            current = generation
        }
        if !failure.isEmpty { generation.send(.show(failure: failure)) }
        generation.routeCounts = (routeCount, brokenCount)
        if let before { retire(before) } else { tellReady(generation) }
        startWatching()
        goOn()
    }

    /// - Parameter oldConnectionCount: of the version before.
    func tellReady(_ generation: Generation, oldConnectionCount: Int = 0) {
        if let change = generation.change {
            generation.change = nil
            var text = "\(change.what): live after \(Self.seconds(since: change.began))"
            text += "; \(Self.count(generation.routeCounts.served, "route"))"
            if generation.routeCounts.broken > 0 {
                text += ", \(generation.routeCounts.broken) left out"
            }
            if oldConnectionCount > 0 {
                let verb = oldConnectionCount == 1 ? "goes" : "go"
                text +=
                    "; \(Self.count(oldConnectionCount, "connection")) \(verb) on with the version "
                    + "before"
            }
            log(.info, text)
        } else if generation.number > 1 && !generation.role.announces {
            log(.info, "serving again")
        }
    }

    private static func count(_ count: Int, _ noun: String) -> String {
        "\(count) \(noun)\(count == 1 ? "" : "s")"
    }

    static func seconds(since began: MonotonicTime) -> String {
        let milliseconds = (MonotonicTime.current().nanoseconds - began.nanoseconds) / 1_000_000
        return "\(milliseconds / 1_000).\(milliseconds / 100 % 10)\(milliseconds / 10 % 10) s"
    }
}

// MARK: - Old generations

extension Supervisor {
    func retire(_ generation: Generation) {
        guard generation.phase == .serving else { return }
        generation.phase = .retired
        old.append(generation)
        generation.send(.retire)
        // One whose thread is blocked does not say when it has stopped to accept; it cannot accept
        // either.
        let announcement = loop.makeTimer { [unowned self] in
            if let current, current.phase == .serving, current.change != nil { tellReady(current) }
        }
        if let announcementTimer { loop.cancel(announcementTimer) }
        announcementTimer = announcement
        loop.schedule(announcement, at: .current() + Self.announcementTimeout)
        if let timeout = plan.oldGenerationTimeout {
            let timer = loop.makeTimer { [weak self, weak generation] in
                guard let generation, generation.phase == .retired else { return }
                self?.log(
                    .info,
                    "the version before closes its connections with 1012 after --drain-timeout")
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

    func replace(_ generation: Generation) {
        generation.phase = .stopping
        generation.send(.replace)
        killLate(generation)
    }

    func killLate(_ generation: Generation) {
        let timer = loop.makeTimer { [weak self, weak generation] in
            guard let generation, generation.phase != .ended else { return }
            self?.log(.warning, "a server process did not end when it was told to: killed")
            generation.signal(SIGKILL)
        }
        generation.stopTimer = timer
        loop.schedule(timer, at: .current() + plan.stopTimeout)
    }

    /// It accepts nothing any more: new connections meet the new code.
    func generationRetired(_ generation: Generation, connectionCount: Int) {
        if let current, current.change != nil {
            tellReady(current, oldConnectionCount: connectionCount)
        }
    }
}
