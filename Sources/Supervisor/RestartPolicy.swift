import EventLoop

/// How soon a server that crashed is started again, and when that is given up.
struct RestartPolicy {
    /// So many crashes within ``interval``, and it is over.
    static let crashLimit = 5
    static let interval: Duration = .seconds(10)
    /// The first crash of an interval costs no wait: clients are waiting already.
    private static let pauses: [Duration] = [
        .zero, .milliseconds(100), .milliseconds(200), .milliseconds(400),
    ]

    private var crashes: [MonotonicTime] = []

    /// - Returns: how long to wait before the next start; `nil`: not again.
    mutating func pauseAfterCrash(at now: MonotonicTime) -> Duration? {
        crashes.removeAll { $0 + Self.interval < now }
        crashes.append(now)
        guard crashes.count < Self.crashLimit else { return nil }
        return Self.pauses[min(crashes.count, Self.pauses.count) - 1]
    }
}
