import Glibc
import Synchronization

/// Something with a descriptor that a loop watches.
public protocol EventSource: AnyObject {
    /// Called on the loop's thread. The readiness may be out of date: only the next call on the
    /// descriptor tells.
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
/// woke, send what they wrote; then timers, then what other threads handed over. In batches,
/// because code and data of each of the three stay in the processor's caches that way.
///
/// `@unchecked Sendable`: everything mutable is touched on the loop's thread only (``isCurrent``),
/// but for `handOver`, which is behind its mutex, and the atomics.
public final class Loop: TaskExecutor, @unchecked Sendable {
    private let poller: Poller
    @exclusivity(unchecked) private var sources: [Registration] = []
    @exclusivity(unchecked) private var timers = Timers()
    @exclusivity(unchecked) private var alarmClock: AlarmClock
    /// Who is in ``run()``; 0: nobody, so that all that is enqueued before or after is handed over.
    private let thread = Atomic<pthread_t>(0)
    private var isStopping = false

    /// `nil`: the kernel's clock. See ManualTime.swift.
    let manualTime: ManualTime?
    /// The time at which this turn began; on the loop's thread.
    public var now: MonotonicTime { turnTime }
    @exclusivity(unchecked) private var turnTime: MonotonicTime

    /// Where every stream of the loop receives; valid until the next one does.
    let receiveBuffer: UnsafeMutableRawBufferPointer
    /// Where parts of files are read that cannot go from file to socket by themselves. Not where
    /// streams receive: one may be looking at what it has there while another sends.
    var fileBuffer: UnsafeMutableRawBufferPointer { fileMemory.bytes }
    /// 16 KiB: a record of TLS.
    private lazy var fileMemory = OwnedMemory(byteCount: 16_384)

    /// Where streams with TLS receive what they open into ``receiveBuffer``; none until there is
    /// one. Half as long, so that there is room for what comes of it and of a record that began
    /// before.
    var sealedBuffer: UnsafeMutableRawBufferPointer { sealedMemory.bytes }
    private lazy var sealedMemory = OwnedMemory(byteCount: Self.receiveBufferByteCount / 2)

    /// Where event sources that are no streams read: pipes, control sockets, file watches. Not where
    /// streams receive: a script is read on when its output has been sent. Valid until the next one
    /// reads.
    package var readBuffer: UnsafeMutableRawBufferPointer { readMemory.bytes }
    /// 64 KiB: what a pipe holds.
    private lazy var readMemory = OwnedMemory(byteCount: 65_536)

    @exclusivity(unchecked) var queuePool = ByteQueuePool()
    @exclusivity(unchecked) private var unflushedStreams: [Stream] = []
    @exclusivity(unchecked) private var unreadStreams: [Stream] = []

    @exclusivity(unchecked) private var jobs: [UnownedJob] = []
    @exclusivity(unchecked) private var runningJobs: [UnownedJob] = []
    private let handOver = Mutex(HandOver())
    private let lastWaitNumber = Atomic<Int>(0)
    /// What streams received since jobs ran last, in bytes.
    @exclusivity(unchecked) var batchByteCount = 0

    /// The longest turn so far, if it is measured: see TurnMeter.swift.
    @exclusivity(unchecked) var turnMeter: TurnMeter?

    // For the monitor thread, see LoopMonitor.swift.
    let turnStart = Atomic<Int64>(0)
    let activity = Atomic<Int>(-1)

    /// 256 KiB: four messages of 64 KiB in one call; one such buffer per thread.
    static let receiveBufferByteCount = 262_144
    /// Ready descriptors in a batch: more gain nothing, and the first one's answer waits for the
    /// others.
    private static let batchEventLimit = 32
    /// 16 KiB received end a batch: with what comes of them, as much as a processor's first cache
    /// holds.
    private static let batchByteLimit = 16_384
    /// Jobs run before descriptors and timers have their turn again.
    private static let jobLimitPerTurn = 4_096

    private struct Registration {
        var source: (any EventSource)?
        /// Tells a descriptor from a later one with the same number.
        var generation: UInt32 = 0
        /// False: what was written before is sent before it is told, and what it writes directly
        /// afterwards.
        var isBatched = false
    }

    /// What other threads give to the loop.
    private struct HandOver {
        var jobs: [UnownedJob] = []
        var work: [@Sendable () -> Void] = []
        var isWaiting = false
        var isEmpty: Bool { jobs.isEmpty && work.isEmpty }
        /// ``run()`` is over.
        var isEnded = false
        /// A thread does what was handed over after that.
        var isCaughtUpWith = false
    }

    public convenience init() throws(SystemError) { try self.init(manualTime: nil) }

    /// - Parameter manualTime: moved by ``advance(by:then:)`` alone; `nil`: the kernel's clock.
    package init(manualTime: ManualTime?) throws(SystemError) {
        self.manualTime = manualTime
        turnTime = manualTime?.now ?? .current()
        poller = try Poller()
        alarmClock = try AlarmClock()
        receiveBuffer = .allocate(byteCount: Self.receiveBufferByteCount, alignment: 64)
        try poller.add(alarmClock.fd, [.readable, .edgeTriggered], token: Self.alarmToken)
    }

    deinit { receiveBuffer.deallocate() }

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
        turnTime = currentTime
        turnStart.store(now.nanoseconds, ordering: .relaxed)
        while !isStopping { turn() }
        closeSources()
        turnStart.store(0, ordering: .relaxed)
        thread.store(0, ordering: .relaxed)
        handOver.withLock { $0.isEnded = true }
        wakeAfter { _ in }
    }

    /// Closes every source, or it and the loop would keep each other for ever, and lets the jobs
    /// that this woke run once.
    private func closeSources() {
        for registration in sources { registration.source?.close() }
        takeHandOver()
        runReadyJobs()
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
        // No more than there are now: one that sets itself anew without delay waits for the next
        // turn.
        var budget = timers.count
        while budget > 0, let timer = timers.popDue(at: now) {
            budget -= 1
            timer.action()
            runReadyJobs()
        }
    }

    private func dispatchEvents(_ count: Int) {
        var batchEnd = Self.batchEventLimit
        for index in 0..<count {
            let (token, readiness) = poller.event(at: index)
            if index &+ 2 < count { prefetch(poller.event(at: index &+ 2).token) }
            dispatch(token, readiness)
            if batchByteCount >= Self.batchByteLimit || index &+ 1 >= batchEnd {
                batchEnd = index &+ 1 &+ Self.batchEventLimit
                endBatch()
            }
        }
        endBatch()
    }

    private func prefetch(_ token: UInt64) {
        let fd = Self.descriptor(of: token)
        guard fd < sources.count, let start = sources[fd].source.map({ Prefetch.address(of: $0) })
        else { return }
        Prefetch.lines(0..<3, from: start)
    }

    private func endBatch() {
        batchByteCount = 0
        runReadyJobs()
    }

    private func dispatch(_ token: UInt64, _ readiness: Readiness) {
        if poller.isWakeUp(token) { return }
        if token == Self.alarmToken { return alarmClock.rang() }
        let fd = Self.descriptor(of: token)
        guard fd < sources.count else { return }
        let isBatched = sources[fd].isBatched
        if !isBatched { endBatch() }
        guard sources[fd].generation == UInt32(token >> 32), let source = sources[fd].source else {
            return
        }
        source.ready(readiness)
        if !isBatched { endBatch() }
    }

    /// Whether there is nothing to do but to wait.
    private func mayBlock() -> Bool {
        guard jobs.isEmpty, unreadStreams.isEmpty, unflushedStreams.isEmpty, !isStopping else {
            return false
        }
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

// MARK: - Descriptors

extension Loop {
    /// No descriptor has this number.
    private static let alarmToken = UInt64.max - 1

    private func token(_ fd: Int32) -> UInt64 {
        UInt64(sources[Int(fd)].generation) << 32 | UInt64(fd)
    }

    private static func descriptor(of token: UInt64) -> Int {
        Int(truncatingIfNeeded: token & 0xFFFF_FFFF)
    }

    /// Begins to watch a descriptor; the loop keeps the source until ``remove(_:)``.
    ///
    /// - Parameter isBatched: for streams, which know nothing of each other. What a script or a
    ///   signal says may close a stream, and must not find there what ought to have been sent by
    ///   then.
    func add(
        _ fd: Int32, _ interest: Readiness, _ source: any EventSource, isBatched: Bool = false
    ) throws(SystemError) {
        let index = Int(fd)
        while sources.count <= index { sources.append(Registration()) }
        sources[index].source = source
        sources[index].isBatched = isBatched
        sources[index].generation &+= 1
        do {
            try poller.add(fd, interest, token: token(fd))
        } catch {
            sources[index].source = nil
            throw error
        }
    }

    func modify(_ fd: Int32, _ interest: Readiness) throws(SystemError) {
        try poller.modify(fd, interest, token: token(fd))
    }

    /// Stops watching. Must precede closing the descriptor.
    func remove(_ fd: Int32) {
        poller.remove(fd)
        forget(fd)
    }

    /// Stops watching a descriptor that is closed next, and has no duplicate here or in another
    /// process: the kernel's list then forgets it by itself. A child between `fork` and `exec` has
    /// one for a moment; what is told of it meanwhile is out of date, which the generation shows.
    func forget(_ fd: Int32) {
        sources[Int(fd)].source = nil
        sources[Int(fd)].generation &+= 1
    }
}

// MARK: - Jobs

extension Loop {
    public func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        if isCurrent {
            jobs.append(job)
        } else {
            wakeAfter { $0.jobs.append(job) }
        }
    }

    /// Runs `work` on the loop's thread, soon. From any thread.
    public func submit(_ work: @escaping @Sendable () -> Void) {
        wakeAfter { $0.work.append(work) }
    }

    /// Runs the jobs that are ready, then sends what they wrote. On the loop's thread, outside
    /// jobs.
    public func runReadyJobs() {
        var budget = Self.jobLimitPerTurn
        while !jobs.isEmpty && budget > 0 {
            swap(&jobs, &runningJobs)
            budget -= runningJobs.count
            run(runningJobs)
            runningJobs.removeAll(keepingCapacity: true)
        }
        flushStreams()
    }

    private func run(_ jobs: [UnownedJob]) {
        for job in jobs { job.runSynchronously(on: asUnownedTaskExecutor()) }
    }

    /// Jobs that wait for their turn. On the loop's thread.
    public var waitingJobCount: Int {
        jobs.count + handOver.withLock { $0.jobs.count + $0.work.count }
    }

    private func wakeAfter(_ change: (inout sending HandOver) -> Void) {
        let (mustWake, mustCatchUp) = handOver.withLock { handOver in
            change(&handOver)
            let mustCatchUp = handOver.isEnded && !handOver.isCaughtUpWith && !handOver.isEmpty
            if mustCatchUp { handOver.isCaughtUpWith = true }
            defer { handOver.isWaiting = false }
            return (handOver.isWaiting, mustCatchUp)
        }
        if mustCatchUp { _ = try? LoopThread { self.catchUp() } }
        guard mustWake else { return }
        poller.wakeUp()
    }

    /// Does what comes after the end of ``run()``, on a thread that lasts as long as that takes: a
    /// task that waits for its turn on a loop must not wait for ever because the loop was stopped.
    private func catchUp() {
        thread.store(pthread_self(), ordering: .relaxed)
        while true {
            takeHandOver()
            runReadyJobs()
            let isDone = handOver.withLock { handOver in
                guard handOver.isEmpty, jobs.isEmpty else { return false }
                thread.store(0, ordering: .relaxed)
                handOver.isCaughtUpWith = false
                return true
            }
            if isDone { return }
        }
    }

    private func takeHandOver() {
        let (newJobs, work) = handOver.withLock { handOver in
            handOver.isWaiting = false
            let taken = (handOver.jobs, handOver.work)
            if !taken.0.isEmpty { handOver.jobs = [] }
            if !taken.1.isEmpty { handOver.work = [] }
            return taken
        }
        if !newJobs.isEmpty { jobs.append(contentsOf: newJobs) }
        for item in work { item() }
    }
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
    private func flushStreams() {
        let count = unflushedStreams.count
        guard count > 0 else { return }
        for index in 0..<count { unflushedStreams[index].flushTurn() }
        if count == unflushedStreams.count {
            unflushedStreams.removeAll(keepingCapacity: true)
        } else {
            unflushedStreams.removeFirst(count)
        }
    }

    /// Streams that had more to read than their share of a turn, or were told to read again.
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

/// Memory that goes with its owner.
private final class OwnedMemory {
    let bytes: UnsafeMutableRawBufferPointer

    init(byteCount: Int) { bytes = .allocate(byteCount: byteCount, alignment: 64) }

    deinit { bytes.deallocate() }
}
