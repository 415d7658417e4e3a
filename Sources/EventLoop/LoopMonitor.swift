import Glibc
import Synchronization

extension Loop {
    /// Notes what is about to use the thread, for ``LoopMonitor`` to name. On the loop's thread.
    public func note(activity number: Int) { activity.store(number, ordering: .relaxed) }

    /// The last ``note(activity:)``; -1 if there was none. From any thread, and in a signal
    /// handler.
    package var currentActivity: Int { activity.load(ordering: .relaxed) }
}

/// Watches loops from a thread of its own, and reports one that does not come round: something on
/// it blocks, and all of its connections wait.
public final class LoopMonitor: Sendable {
    /// A loop that is stuck, or was.
    public struct Stall: Sendable {
        public let loopIndex: Int
        /// The last ``Loop/note(activity:)``; -1 if there was none.
        public let activity: Int
        public let duration: Duration
        /// False: it goes on. True: the loop came round again.
        public let isOver: Bool
    }

    private let isStopping = Atomic<Bool>(false)

    public init() {}

    /// Looks at the loops every quarter of `threshold` until ``stop()``, on a new thread.
    ///
    /// - Parameters:
    ///   - threshold: how long one turn may take before it is reported.
    ///   - onLook: called on the monitor's thread after each look.
    ///   - report: called on the monitor's thread, once when a stall is found and once at its end.
    public func start(
        watching loops: [Loop], threshold: Duration = .seconds(1),
        onLook: @escaping @Sendable () -> Void = {},
        report: @escaping @Sendable (Stall) -> Void
    ) throws(SystemError) -> LoopThread {
        try LoopThread { [self] in
            var stalls = [Int64](repeating: 0, count: loops.count)
            let pauseMicroseconds = UInt32(clamping: threshold.wholeNanoseconds / 4_000)
            while !isStopping.load(ordering: .relaxed) {
                usleep(pauseMicroseconds)
                for (index, loop) in loops.enumerated() {
                    look(at: loop, index, &stalls[index], threshold, report)
                }
                onLook()
            }
        }
    }

    public func stop() { isStopping.store(true, ordering: .relaxed) }

    /// `stall`: when the turn began that was reported; 0 when none is.
    private func look(
        at loop: Loop, _ index: Int, _ stall: inout Int64, _ threshold: Duration,
        _ report: (Stall) -> Void
    ) {
        let start = loop.turnStart.load(ordering: .relaxed)
        let now = MonotonicTime.current().nanoseconds
        let activity = loop.currentActivity
        if stall != 0 && start != stall {
            let duration = Duration.nanoseconds(now - stall)
            report(Stall(loopIndex: index, activity: activity, duration: duration, isOver: true))
            stall = 0
        }
        if stall == 0 && start != 0 && .nanoseconds(now - start) >= threshold {
            stall = start
            let duration = Duration.nanoseconds(now - start)
            report(Stall(loopIndex: index, activity: activity, duration: duration, isOver: false))
        }
    }
}
