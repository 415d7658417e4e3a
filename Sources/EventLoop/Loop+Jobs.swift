import Glibc
import Synchronization

// What runs on a loop: jobs of tasks, and work that other threads hand over.

extension Loop {
    /// Jobs run before descriptors and timers have their turn again.
    private static let jobLimitPerTurn = 4_096

    /// What other threads give to the loop.
    struct HandOver {
        var jobs: [UnownedJob] = []
        var work: [@Sendable () -> Void] = []
        var isWaiting = false
        var isEmpty: Bool { jobs.isEmpty && work.isEmpty }
        /// ``run()`` is over.
        var isEnded = false
        /// A thread does what was handed over after that.
        var isCaughtUpWith = false
    }

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

    func wakeAfter(_ change: (inout sending HandOver) -> Void) {
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
        ThreadActivity.setLoop(self)
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

    func takeHandOver() {
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
