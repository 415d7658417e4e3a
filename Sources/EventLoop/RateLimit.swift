/// How often something may happen: a token bucket, by the generic cell rate algorithm.
///
/// All that has to be remembered is one moment: when the bucket will be full again. Each event
/// takes a token, which moves that moment on by the interval. Nothing runs in the background, and
/// a moment that is over is as good as none.
public struct RateLimit: Sendable, Hashable {
    // In nanoseconds, for it may be asked for each message.
    private let interval: Int64
    private let refill: Int64

    /// The longest period, and the longest time in which a bucket becomes full: 100 years.
    private static let timeLimit: Int64 = 3_155_760_000_000_000_000

    /// - Parameters:
    ///   - count: events in `period`, from 1 up.
    ///   - burst: tokens of a full bucket, from 1 up: so many events may come at once.
    public init(_ count: Int, in period: Duration, burst: Int) {
        let period = min(max(0, period.wholeNanoseconds), Self.timeLimit)
        interval = max(1, period / Int64(max(1, count)))
        let (refill, overflow) = interval.multipliedReportingOverflow(by: Int64(max(1, burst)))
        self.refill = overflow ? Self.timeLimit : min(refill, Self.timeLimit)
    }

    /// In which an empty bucket becomes full.
    public var refillTime: Duration { .nanoseconds(refill) }

    /// Takes a token, whether there is one or not: the bucket then owes it.
    ///
    /// - Parameter full: when the bucket is full.
    /// - Returns: when it is full without that token.
    public func taking(from full: MonotonicTime, at now: MonotonicTime) -> MonotonicTime {
        let (next, overflow) = max(full, now).nanoseconds.addingReportingOverflow(interval)
        return MonotonicTime(nanoseconds: overflow ? .max : next)
    }

    /// When there are so many tokens: not later than now, if there are.
    ///
    /// - Parameters:
    ///   - count: up to the burst; 0: when none is owed.
    ///   - full: when the bucket is full.
    public func moment(ofTokens count: Int, before full: MonotonicTime) -> MonotonicTime {
        MonotonicTime(nanoseconds: full.nanoseconds &+ interval &* Int64(count) &- refill)
    }
}
