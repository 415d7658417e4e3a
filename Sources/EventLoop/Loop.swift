import Glibc
import Synchronization

/// Something with a descriptor that a loop watches.
public protocol EventSource: AnyObject {
    /// Called on the loop's thread. The readiness may be out of date: only the next call on the
    /// descriptor shows.
    func ready(_ readiness: Readiness)
    /// Stops being watched and closes the descriptor. The loop calls it on what is open when it
    /// ends.
    func close()
}

/// One thread that waits for descriptors, timers and jobs, and runs what they wake.
///
/// It is a task executor: a task made with `Task(executorPreference: loop)` runs on this thread and
/// nowhere else, so a connection's bytes, its state and its handler never change threads.
///
/// A turn: wait; for each batch of ready descriptors let their sources read, run the jobs that this
/// woke, send what they wrote; then timers, then what other threads handed over.
///
/// `@unchecked Sendable`: everything mutable is touched on the loop's thread only (``isCurrent``),
/// but for `handOver`, which is behind its mutex, and the atomics.
public final class Loop: TaskExecutor, @unchecked Sendable {
    let poller: Poller
    @exclusivity(unchecked) private var sources = SourceTable()
    @exclusivity(unchecked) var timers = Timers()
    @exclusivity(unchecked) private var alarmClock: AlarmClock
    /// The thread in ``run()``; 0: none, so that all that is enqueued before or after is handed
    /// over.
    let thread = Atomic<pthread_t>(0)
    @exclusivity(unchecked) private var isStopping = false

    /// `nil`: the kernel's clock. See ManualTime.swift.
    let manualTime: ManualTime?
    /// The time at which this turn began; on the loop's thread.
    public var now: MonotonicTime { turnTime }
    @exclusivity(unchecked) private var turnTime: MonotonicTime

    let buffers = LoopBuffers()
    @exclusivity(unchecked) var queuePool = ByteQueuePool()
    @exclusivity(unchecked) var unflushedStreams: [Stream] = []
    @exclusivity(unchecked) var unreadStreams: [Stream] = []

    @exclusivity(unchecked) var jobs: [UnownedJob] = []
    @exclusivity(unchecked) var runningJobs: [UnownedJob] = []
    let handOver = Mutex(HandOver())
    private let lastWaitNumber = Atomic<Int>(0)
    /// See ``afterEvents(_:)``.
    @exclusivity(unchecked) private var workAfterEvents: [() -> Void] = []
    @exclusivity(unchecked) private var runningWork: [() -> Void] = []
    /// What streams received since jobs ran last, in bytes.
    @exclusivity(unchecked) var batchByteCount = 0

    /// The longest turn so far, if it is measured: see TurnMeter.swift.
    @exclusivity(unchecked) var turnMeter: TurnMeter?

    /// When the present turn began; 0: it waits. For ``LoopMonitor``.
    let turnStart = Atomic<Int64>(0)
    /// See ThreadActivity.swift.
    let activity = Atomic<Int>(-1)

    public convenience init() throws(SystemError) { try self.init(manualTime: nil) }

    /// - Parameter manualTime: moved by ``advance(by:then:)`` alone; `nil`: the kernel's clock.
    package init(manualTime: ManualTime?) throws(SystemError) {
        self.manualTime = manualTime
        turnTime = manualTime?.now ?? .current()
        poller = try Poller()
        alarmClock = try AlarmClock()
        try poller.add(alarmClock.fd, [.readable, .edgeTriggered], token: Self.alarmToken)
    }

    /// Leaves SIGPIPE without effect in this process: a connection that the peer closed is an error
    /// of `send`.
    public static func ignoreBrokenPipes() { signal(SIGPIPE, SIG_IGN) }

    /// A number for a ``Waiter``. From any thread.
    func nextWaitNumber() -> Int { lastWaitNumber.add(1, ordering: .relaxed).newValue }

    /// Whether the caller is on the loop's thread, within ``run()``. From any thread.
    public var isCurrent: Bool { thread.load(ordering: .relaxed) == pthread_self() }

    /// Starts a thread for the loop, which ends with ``stop()``.
    public func start() throws(SystemError) -> LoopThread {
        try LoopThread { self.run() }
    }

    /// Runs the loop on the calling thread until ``stop()``, then closes what is still open.
    public func run() {
        thread.store(pthread_self(), ordering: .relaxed)
        ThreadActivity.setLoop(self)
        turnTime = currentTime
        turnStart.store(now.nanoseconds, ordering: .relaxed)
        while !isStopping { turn() }
        closeSources()
        turnStart.store(0, ordering: .relaxed)
        ThreadActivity.setLoop(nil)
        thread.store(0, ordering: .relaxed)
        handOver.withLock { $0.isEnded = true }
        wakeAfter { _ in }
    }

    /// Closes every source, or it and the loop would keep each other for ever, and lets the jobs
    /// that this woke run once.
    private func closeSources() {
        for source in sources.all { source.close() }
        takeHandOver()
        runReadyJobs()
        workAfterEvents = []  // or it and the loop would keep each other
    }

    /// Ends ``run()`` after this turn. From any thread.
    public func stop() {
        submit { [unowned self] in isStopping = true }
    }

    private func turn() {
        takeHandOver()
        runReadyJobs()
        readOnUnreadStreams()
        noteTurnEnd()
        let count = poller.wait(blocks: mayBlock())
        turnTime = currentTime
        turnStart.store(now.nanoseconds, ordering: .relaxed)
        dispatchEvents(count)
        if !workAfterEvents.isEmpty { runWorkAfterEvents() }
        // No more than there are now: one that sets itself anew without delay waits for the next
        // turn.
        var budget = timers.count
        while budget > 0, let timer = timers.popDue(at: now) {
            budget -= 1
            timer.action()
            runReadyJobs()
        }
    }

    /// Runs `work` once all that is ready by now has had its turn. On the loop's thread.
    ///
    /// For connections that come: what is ready may make a handler block, and this loop with it.
    public func afterEvents(_ work: @escaping () -> Void) { workAfterEvents.append(work) }

    private func runWorkAfterEvents() {
        swap(&workAfterEvents, &runningWork)
        for work in runningWork {
            work()
            runReadyJobs()
        }
        runningWork.removeAll(keepingCapacity: true)
    }

    private func dispatchEvents(_ count: Int) {
        var batchEnd = Batching.eventLimit
        for index in 0..<count {
            let (token, readiness) = poller.event(at: index)
            if index &+ 2 < count { sources.prefetch(poller.event(at: index &+ 2).token) }
            dispatch(token, readiness)
            if batchByteCount >= Batching.byteLimit || index &+ 1 >= batchEnd {
                batchEnd = index &+ 1 &+ Batching.eventLimit
                endBatch()
            }
        }
        endBatch()
    }

    private func endBatch() {
        batchByteCount = 0
        runReadyJobs()
    }

    private func dispatch(_ token: UInt64, _ readiness: Readiness) {
        if poller.isWakeUp(token) { return }
        if token == Self.alarmToken { return alarmClock.rang() }
        let isBatched = sources.isBatched(token)
        if !isBatched { endBatch() }
        sources[token]?.ready(readiness)
        if !isBatched { endBatch() }
    }

    /// Whether there is nothing to do but to wait.
    private func mayBlock() -> Bool {
        guard jobs.isEmpty, unreadStreams.isEmpty, unflushedStreams.isEmpty,
            workAfterEvents.isEmpty, !isStopping
        else { return false }
        let nothingHandedOver = handOver.withLock { handOver in
            handOver.isWaiting = handOver.isEmpty
            return handOver.isWaiting
        }
        guard nothingHandedOver else { return false }
        let earliest = timers.earliest
        if let manualTime {
            let isDue = earliest.map { $0 <= manualTime.now } ?? false
            return !isDue && !manualTime.runIdleActions()
        }
        turnStart.store(0, ordering: .relaxed)
        guard let earliest else { return true }
        return earliest > now && alarmClock.set(for: earliest)
    }
}

// MARK: - Sources

extension Loop {
    /// No descriptor has this number.
    private static let alarmToken = UInt64.max - 1

    /// Begins to watch a descriptor for ``FileDescriptor``; the loop keeps the source until
    /// ``remove(_:)`` or ``forget(_:)``.
    ///
    /// - Parameter isBatched: for streams, which know nothing of each other. Any other source may
    ///   close a stream or write directly, so what was written before is sent before it is called,
    ///   and what it writes is sent right behind.
    func add(
        _ fd: Int32, _ interest: Readiness, _ source: any EventSource, isBatched: Bool = false
    ) throws(SystemError) {
        let token = sources.add(fd, source, isBatched: isBatched)
        do {
            try poller.add(fd, interest, token: token)
        } catch {
            sources.remove(fd)
            throw error
        }
    }

    func modify(_ fd: Int32, _ interest: Readiness) throws(SystemError) {
        try poller.modify(fd, interest, token: sources.token(fd))
    }

    /// Stops watching a descriptor that stays open, here or in another process.
    func remove(_ fd: Int32) {
        poller.remove(fd)
        sources.remove(fd)
    }

    /// Stops watching a descriptor that is closed next: the kernel's list then forgets it by
    /// itself. A child between `fork` and `exec` has a duplicate for a moment; what is reported
    /// because of that is out of date, which its token shows.
    func forget(_ fd: Int32) { sources.remove(fd) }
}

// MARK: - Timers

extension Loop {
    /// A timer that does nothing until it is scheduled. Its action must not keep the timer's owner.
    public func makeTimer(_ action: @escaping () -> Void) -> Timer { Timer(action) }

    /// Sets when the timer fires, in place of what was set before.
    public func schedule(_ timer: Timer, after delay: Duration) {
        timers.schedule(timer, at: now + delay)
    }

    public func schedule(_ timer: Timer, at deadline: MonotonicTime) {
        timers.schedule(timer, at: deadline)
    }

    public func cancel(_ timer: Timer) { timers.cancel(timer) }

    /// When the next timer fires; `nil` if none is set. On the loop's thread.
    package var earliestDeadline: MonotonicTime? { timers.earliest }
}

// MARK: - Streams

extension Loop {
    func flushSoon(_ stream: Stream) { unflushedStreams.append(stream) }
    func readSoon(_ stream: Stream) { unreadStreams.append(stream) }

    /// Sends what was written. What a delegate writes because of that waits for the next time, or
    /// one whose peer is quick would keep the others waiting.
    func flushStreams() {
        let count = unflushedStreams.count
        guard count > 0 else { return }
        for index in 0..<count { unflushedStreams[index].flushTurn() }
        if count == unflushedStreams.count {
            // One by one: `removeAll(keepingCapacity:)` takes 160 instructions for the first.
            while unflushedStreams.popLast() != nil {}
        } else {
            unflushedStreams.removeFirst(count)
        }
    }

    /// Streams that had more to read than their share of a turn, or that resumed reading.
    private func readOnUnreadStreams() {
        guard !unreadStreams.isEmpty else { return }
        let streams = unreadStreams
        unreadStreams.removeAll(keepingCapacity: true)
        for stream in streams {
            stream.readTurn()
            runReadyJobs()
        }
    }
}
