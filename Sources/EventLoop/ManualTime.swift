import Synchronization

/// Time that stands still until it is moved: for loops whose connections are in memory.
///
/// `@unchecked Sendable`: the time is atomic, the rest is touched on the loop's thread only.
package final class ManualTime: @unchecked Sendable {
    /// An hour, so that what is a little earlier is no negative time.
    private static let start = MonotonicTime(nanoseconds: 3_600_000_000_000)
    private let nanoseconds = Atomic<Int64>(start.nanoseconds)
    private let continuousStart = ContinuousClock.now
    private var idleActions: [() -> Void] = []

    package init() {}

    /// From any thread.
    package var now: MonotonicTime {
        MonotonicTime(nanoseconds: nanoseconds.load(ordering: .relaxed))
    }

    fileprivate var continuous: ContinuousClock.Instant { continuousStart + (now - Self.start) }

    fileprivate func move(to time: MonotonicTime) {
        nanoseconds.store(time.nanoseconds, ordering: .relaxed)
    }

    fileprivate func whenIdle(_ action: @escaping () -> Void) { idleActions.append(action) }

    /// - Returns: false if there was none.
    func runIdleActions() -> Bool {
        let actions = idleActions
        idleActions = []
        for action in actions { action() }
        return !actions.isEmpty
    }
}

extension Loop {
    /// The time now, which a turn may have begun long before. From any thread.
    public var currentTime: MonotonicTime { manualTime?.now ?? .current() }

    /// The same as the standard library has it, for handlers. From any thread.
    package var continuousTime: ContinuousClock.Instant { manualTime?.continuous ?? .now }

    /// Calls `action` once nothing is left to run: no job, no byte to read or to send, no timer
    /// that is due. Jobs on other threads are not known of. On the thread of a loop with
    /// ``ManualTime``.
    package func whenIdle(_ action: @escaping () -> Void) { manualTime?.whenIdle(action) }

    /// Moves the time from timer to timer, each with all that it leads to, as they would fire one
    /// after the other. On the thread of a loop with ``ManualTime``.
    ///
    /// - Parameter done: called when the time is reached and nothing is left to run.
    package func advance(by duration: Duration, then done: @escaping () -> Void) {
        guard let manualTime else { return done() }
        advance(manualTime, to: manualTime.now + duration, then: done)
    }

    private func advance(
        _ time: ManualTime, to target: MonotonicTime, then done: @escaping () -> Void
    ) {
        whenIdle { [self] in
            if let next = earliestDeadline, next <= target {
                time.move(to: next)
                advance(time, to: target, then: done)
            } else {
                time.move(to: target)
                done()
            }
        }
    }
}
