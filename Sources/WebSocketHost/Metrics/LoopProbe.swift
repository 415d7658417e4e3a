import EventLoop
import Synchronization

/// Finds out how long a loop lets something wait that is ready to run: it is asked to note when it
/// comes to that.
final class LoopProbe: Sendable {
    /// When it was asked; 0: it has answered.
    private let asked = Atomic<Int64>(0)
    private let lastWait = Atomic<Int64>(0)

    /// - Parameter body: called on the loop's thread, when it comes to that.
    func ask(_ loop: Loop, at now: MonotonicTime, then body: @escaping @Sendable () -> Void) {
        asked.store(max(1, now.nanoseconds), ordering: .relaxed)
        loop.submit { [self] in
            let wait = MonotonicTime.current().nanoseconds - now.nanoseconds
            lastWait.store(wait, ordering: .relaxed)
            asked.store(0, ordering: .relaxed)
            body()
        }
    }

    var isAnswered: Bool { asked.load(ordering: .relaxed) == 0 }

    /// How long it has waited for the answer, or did the last time.
    func wait(at now: MonotonicTime) -> Duration {
        let asked = asked.load(ordering: .relaxed)
        let last = Duration.nanoseconds(lastWait.load(ordering: .relaxed))
        return asked == 0 ? last : max(last, now - MonotonicTime(nanoseconds: asked))
    }
}

/// The probes of a server's loops: one a second for each that has connections, and the longest wait
/// of late.
struct LoopProbes {
    private var nextRound = MonotonicTime(nanoseconds: 0)
    private var longest = RecentLongest()
    /// Of this process, when it was looked at last; in nanoseconds.
    var processorTime = 0

    private static let pause: Duration = .seconds(1)

    /// - Returns: whether all are to be asked again.
    mutating func isRoundDue(at now: MonotonicTime) -> Bool {
        guard now >= nextRound else { return false }
        nextRound = now + Self.pause
        return true
    }

    /// - Returns: the longest wait of late.
    mutating func note(_ wait: Duration, at now: MonotonicTime) -> Duration {
        longest.note(wait, at: now)
    }
}

/// The longest of some durations that were noted in the last minute, and of no older ones: whoever
/// looks every half minute misses none.
struct RecentLongest {
    private var began = MonotonicTime(nanoseconds: 0)
    private var current: Duration = .zero
    private var previous: Duration = .zero

    static let half: Duration = .seconds(30)

    mutating func note(_ duration: Duration, at now: MonotonicTime) -> Duration {
        if now >= began + Self.half {
            previous = now >= began + Self.half + Self.half ? .zero : current
            current = .zero
            began = now
        }
        current = max(current, duration)
        return max(current, previous)
    }
}

extension Worker {
    /// Connections that are looked at in one turn: 1,000 take less than half a millisecond.
    private static let measuredPerTurn = 1_000

    /// Counts what is queued on all connections, some in each turn. On the loop's thread.
    fileprivate func measureQueues(from index: Int = 0, sum: Int = 0) {
        let sum = sum + connections.queuedByteCount(from: index, limit: Self.measuredPerTurn)
        let next = index + Self.measuredPerTurn
        guard next < connections.count else { return connections.counters?.noteQueued(sum) ?? () }
        loop.submit { [weak self] in self?.measureQueues(from: next, sum: sum) }
    }
}

extension Server {
    /// Counts what nobody else does: what waits, for how long, and what the process takes. On the
    /// control loop's thread.
    func measure(at now: MonotonicTime) {
        guard let metrics = counted else { return }
        var longest = Duration.zero
        let isDue = control.probes.isRoundDue(at: now)
        for worker in allWorkers {
            longest = max(longest, worker.probe.wait(at: now))
            guard isDue, worker.probe.isAnswered, worker.openCount.load(ordering: .relaxed) > 0
            else { continue }
            worker.probe.ask(worker.loop, at: now) { [weak worker] in
                worker?.measureQueues()
            }
        }
        metrics.note(loopLag: control.probes.note(longest, at: now))
        if isDue { countProcessorTime() }
    }

    /// On the control loop's thread.
    func countProcessorTime() {
        guard let metrics = counted else { return }
        control.probes.processorTime = metrics.countProcessorTime(
            since: control.probes.processorTime)
    }
}
