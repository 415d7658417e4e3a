import Glibc
import Synchronization

extension Loop {
    /// Whether the present turn has lasted for `limit` or longer: something on the loop blocks, and
    /// all that is on it waits. From any thread.
    ///
    /// - Parameter now: a time read before the call is as good; the turn then seems shorter.
    public func isStalled(for limit: Duration, at now: MonotonicTime) -> Bool {
        let start = turnStart.load(ordering: .relaxed)
        return start != 0 && now.nanoseconds &- start >= limit.wholeNanoseconds
    }

    /// How long the present turn has lasted; `nil`: the loop waits. From any thread.
    package func turnDuration(at now: MonotonicTime) -> Duration? {
        let start = turnStart.load(ordering: .relaxed)
        return start == 0 ? nil : .nanoseconds(max(0, now.nanoseconds &- start))
    }
}

/// Watches loops from another one, and reports one that does not come round: something on it
/// blocks, and all of its connections wait. Belongs to the thread of the loop that it is on.
public final class LoopMonitor {
    /// A loop that is stuck, or was.
    public struct Stall: Sendable {
        /// In the order of ``watch(_:)``.
        public let loopIndex: Int
        /// The last ``Loop/note(activity:)``; -1 if there was none.
        public let activity: Int
        public let duration: Duration
        /// False: it goes on. True: the loop came round again.
        public let isOver: Bool
    }

    private struct Watched {
        let loop: Loop
        /// When the turn began that was reported; 0 when none is.
        var reportedTurn: Int64 = 0
    }

    /// A limit of zero must not keep the loop busy.
    private static let shortestPause: Duration = .milliseconds(1)

    private let loop: Loop
    private var watched: [Watched] = []
    private let threshold: Duration
    private let stallLimit: Duration
    private let pause: Duration
    private let onLook: () -> Void
    private let report: (Stall) -> Void
    private var timer: Timer?

    /// Looks every quarter of `threshold` or each `stallLimit`, whichever is shorter, and where a
    /// turn is under way by then also at the moment at which it has lasted for `stallLimit`.
    ///
    /// - Parameters:
    ///   - loop: runs nothing that blocks.
    ///   - threshold: how long one turn may take before it is reported.
    ///   - stallLimit: how long one turn may take before `onLook` has to know.
    ///   - onLook: called after each look.
    ///   - report: called once when a stall is found and once at its end.
    public init(
        on loop: Loop, threshold: Duration = .seconds(1),
        stallLimit: Duration = .milliseconds(100), onLook: @escaping () -> Void = {},
        report: @escaping (Stall) -> Void
    ) {
        self.loop = loop
        self.threshold = threshold
        self.stallLimit = stallLimit
        pause = max(min(threshold / 4, stallLimit), Self.shortestPause)
        self.onLook = onLook
        self.report = report
    }

    /// Adds a loop to those that are watched.
    public func watch(_ loop: Loop) { watched.append(Watched(loop: loop)) }

    /// Begins to look, until ``stop()``.
    public func start() {
        timer = loop.makeTimer { [weak self] in
            guard let self else { return }  // it lives until the look is over, whatever that ends
            look()
            scheduleLook()
        }
        scheduleLook()
    }

    public func stop() {
        if let timer { loop.cancel(timer) }
        timer = nil
    }

    private func look() {
        for index in watched.indices { look(at: index) }
        onLook()
    }

    private func look(at index: Int) {
        let loop = watched[index].loop
        let reported = watched[index].reportedTurn
        let start = loop.turnStart.load(ordering: .relaxed)
        let now = self.loop.currentTime.nanoseconds
        let activity = loop.currentActivity
        if reported != 0 && start != reported {
            watched[index].reportedTurn = 0
            report(
                Stall(
                    loopIndex: index, activity: activity, duration: .nanoseconds(now - reported),
                    isOver: true))
        }
        if start != 0 && start != reported && .nanoseconds(now - start) >= threshold {
            watched[index].reportedTurn = start
            report(
                Stall(
                    loopIndex: index, activity: activity, duration: .nanoseconds(now - start),
                    isOver: false))
        }
    }

    private func scheduleLook() {
        guard let timer else { return }
        let now = loop.currentTime
        var next = now + pause
        for entry in watched {
            let start = entry.loop.turnStart.load(ordering: .relaxed)
            let stalled = MonotonicTime(nanoseconds: start) + stallLimit
            if start != 0 && stalled > now && stalled < next { next = stalled }
        }
        loop.schedule(timer, at: next)
    }
}
