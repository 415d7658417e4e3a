import EventLoop
import Glibc
import Logging
import Processes

/// Holds the listening sockets, and keeps a server process on them: restarts it after a crash, and
/// replaces it when handler files change.
///
/// It opens no connection and creates no handler itself, so no handler can crash it.
///
/// `@unchecked Sendable`: everything is used only on the thread that calls ``run()``.
package final class Supervisor: @unchecked Sendable {
    let plan: Plan
    package let loop: Loop
    package let log: Log
    /// When this began.
    package let began = MonotonicTime.current()
    lazy var standIn = plan.makeStandIn?(self) ?? NoStandIn()
    /// After that nothing is answered.
    var hasEnded = false
    /// False once that has closed.
    var hasTerminal = Supervisor.hasTerminal()
    /// Whether it was started so that a terminal that closes does not end it (`nohup`).
    let survivesTerminal = Signals.isIgnored(SIGHUP)
    var stopSignals = StopSignals()
    var silenceTimer: Timer?
    /// Changes in ``generationReady(_:routeCount:brokenCount:)`` and ``stopAccepting()`` only.
    private(set) var phase = Phase.starting
    var signals: Signals?
    var watch: HandlersWatch?
    var exitCode: Int32 = 0
    var lastNumber = 0
    var restarts = RestartPolicy()
    /// Why the next process will be started, where no change is.
    var restartReason = StartReason.trap
    /// Handler files that kept a process from starting, and why.
    var leftOut: [ExactText: String] = [:]
    var trapping = TrappingHandlers()
    /// By file: when it is served again.
    var returnTimers: [ExactText: Timer] = [:]

    /// The process that serves, or that starts while no other one serves.
    var current: Generation?
    /// The process that starts in order to replace `current`.
    var next: Generation?
    /// Processes that have been replaced or are ending, the oldest first.
    var old: [Generation] = []
    var announcementTimer: Timer?
    static let announcementTimeout: Duration = .seconds(2)
    var restartTimer: Timer?
    lazy var terminalTimer = loop.makeTimer { [unowned self] in lookForTerminal() }

    var service: ServiceState
    var serviceTimer: Timer?

    var feeds = FeedHandover()
    var feedTimer: Timer?

    var rebuild: Rebuild?
    /// The request that waits for the running build, or for a process to become ready.
    var pending: Request?
    var failure = ""
    /// The sentences of the last build about files that are left alone; `nil`: none was yet.
    var knownSkips: [String]?

    struct Request {
        var began: MonotonicTime
        /// Whether a new process is started even if nothing changed.
        var isForced: Bool
    }

    /// | phase | begins when | what is different |
    /// |---|---|---|
    /// | `starting` | at the beginning | a process that does not start ends the supervisor |
    /// | `running` | the first process is ready | a process that does not start is tried again |
    /// | `stopping` | a signal, a failed first start | no sockets, nothing starts |
    enum Phase { case starting, running, stopping }
    var isStopping: Bool { phase == .stopping }

    package static let signals = [SIGINT, SIGTERM, SIGHUP, SIGUSR1]

    /// - Parameter plan: its sockets belong to the supervisor from now on.
    package init(_ plan: Plan, log: Log) throws(SystemError) {
        self.plan = plan
        self.log = log
        service = ServiceState(watchdogTimeout: plan.serviceManager?.watchdogTimeout)
        loop = try Loop()
    }

    /// Keeps a server running until a signal ends it. ``signals`` must be blocked already.
    ///
    /// - Returns: the exit code.
    package func run() -> Int32 {
        loop.submit { [unowned self] in
            do throws(SystemError) {
                signals = try Signals(Self.signals, on: loop) { [unowned self] in received($0) }
            } catch {
                log(.error, "cannot handle signals: \(error)")
            }
            current = launch(nil, because: .start)
            chooseWhoAnswers()
            if current == nil { end(1) }
            startServiceTimer()
        }
        loop.run()
        return exitCode
    }

    /// Closes the sockets: no process will accept any more, and clients would wait in vain.
    func stopAccepting() {
        guard !isStopping else { return }
        phase = .stopping
        tell(service.stops())
        for socket in plan.sockets { socket.end() }
        plan.runSocket?.close()
    }

    func end(_ code: Int32) {
        stopAccepting()
        leaveOwner()
        exitCode = max(exitCode, code)
        watch?.stop()
        rebuild?.stop()
        loop.stop()
    }

    // MARK: - Starting a process

    func launch(_ change: Change?, because reason: StartReason) -> Generation? {
        guard let place = freePlace else {
            log(
                .critical, "there are \(ProcessRole.placeLimit) server processes, and no more start"
            )
            return nil
        }
        lastNumber += 1
        let links = makeLinks()
        var role = ProcessRole(
            number: lastNumber, place: place, began: began,
            listenerIndices: plan.sockets.map(\.listenerIndex),
            hasRunSocket: plan.runSocket != nil, adminSocketCount: plan.adminSockets.count,
            linkCount: links.count,
            memoryCount: plan.memories.count, announces: phase == .starting,
            isWatched: plan.watches,
            leftOut: leftOut, trapping: trapping.leftOut(at: .current()))
        role.passedListeners = plan.passedListeners
        role.turnReportInterval = plan.serviceManager.map { _ in service.lookInterval }
        do throws(SystemError) {
            let generation = try Generation(
                role: role, links: links.map { $0.ends.one.number }, plan: plan, supervisor: self)
            handOver(links)
            plan.processStarted(reason)
            generation.change = change
            let timer = loop.makeTimer { [weak generation] in generation?.killOverdue() }
            generation.startTimer = timer
            loop.schedule(timer, at: .current() + plan.startTimeout)
            return generation
        } catch {
            log(.critical, "cannot start a server process: \(error)")
            return nil
        }
    }

    func generationReady(_ generation: Generation, routeCount: Int, brokenCount: Int) {
        guard generation.phase == .starting else { return }
        generation.phase = .serving
        if let startTimer = generation.startTimer { loop.cancel(startTimer) }
        if phase == .starting { phase = .running }
        let before = generation === next ? current : nil
        if generation === next {
            next = nil
            current = generation
        }
        generation.answersOwner = true
        chooseWhoAnswers()
        if !failure.isEmpty { generation.send(.show(failure: failure)) }
        generation.routeCounts = (routeCount, brokenCount)
        carryOut(feeds.serves(generation.number))
        if let before { retire(before) } else { logReady(generation) }
        startWatching()
        startPendingRequest()
    }

    /// - Parameter oldConnectionCount: connections of the previous version.
    func logReady(_ generation: Generation, oldConnectionCount: Int = 0) {
        if let change = generation.change {
            generation.change = nil
            var text = "\(change.what): live after \(Self.seconds(since: change.began))"
            text += "; \(Self.count(generation.routeCounts.served, "route"))"
            if generation.routeCounts.broken > 0 {
                text += ", \(generation.routeCounts.broken) left out"
            }
            if oldConnectionCount > 0 {
                let verb = oldConnectionCount == 1 ? "stays" : "stay"
                text +=
                    "; \(Self.count(oldConnectionCount, "connection")) \(verb) on the old version"
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
        generation.answersOwner = false
        old.append(generation)
        generation.send(.retire)
        carryOut(feeds.leaves(generation.number))
        // A process whose thread is blocked does not report that it has stopped accepting, but it
        // cannot accept either.
        let announcement = loop.makeTimer { [unowned self] in
            if let current, current.phase == .serving, current.change != nil { logReady(current) }
        }
        if let announcementTimer { loop.cancel(announcementTimer) }
        announcementTimer = announcement
        loop.schedule(announcement, at: .current() + Self.announcementTimeout)
        if let timeout = plan.oldGenerationTimeout {
            let timer = loop.makeTimer { [weak self, weak generation] in
                guard let generation, generation.phase == .retired else { return }
                self?.log(
                    .info,
                    "the old version closes its connections with 1012 (--drain-timeout)")
                self?.replace(generation)
            }
            loop.schedule(timer, at: .current() + timeout)
            generation.retireTimer = timer
        }
        let retired = old.filter { $0.phase == .retired }
        guard retired.count > plan.oldGenerationLimit, let oldest = retired.first else { return }
        log(
            .info,
            "the oldest of \(retired.count) old versions closes its connections with 1012 "
                + "(--max-old-generations)")
        replace(oldest)
    }

    func replace(_ generation: Generation) {
        generation.phase = .stopping
        generation.send(.replace)
        killIfLate(generation)
    }

    /// - Parameter timeout: `nil`: the usual one.
    func killIfLate(_ generation: Generation, after timeout: Duration? = nil) {
        let timer = loop.makeTimer { [weak self, weak generation] in
            guard let generation, generation.phase != .ended else { return }
            self?.log(
                .warning, "the server process \(generation.pid) did not end in time and is killed")
            generation.signal(SIGKILL)
        }
        if let before = generation.stopTimer { loop.cancel(before) }
        generation.stopTimer = timer
        loop.schedule(timer, at: .current() + (timeout ?? plan.stopTimeout))
    }

    /// The old process accepts nothing any more: all new connections reach the new code.
    func generationRetired(_ generation: Generation, connectionCount: Int) {
        if let current, current.change != nil {
            logReady(current, oldConnectionCount: connectionCount)
        }
    }
}
