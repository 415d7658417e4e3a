import EventLoop

/// Decides when a server that crashed is started again, and when to give up.
struct RestartPolicy {
    /// This many crashes within ``interval`` are too many.
    static let crashLimit = 5
    static let interval: Duration = .seconds(10)
    /// After the first crash of an interval there is no pause: clients are waiting.
    private static let pauses: [Duration] = [
        .zero, .milliseconds(100), .milliseconds(200), .milliseconds(400),
    ]

    private var crashes: [MonotonicTime] = []

    /// - Returns: how long to wait before the next start; `nil`: give up.
    mutating func pauseAfterCrash(at now: MonotonicTime) -> Duration? {
        crashes.removeAll { $0 + Self.interval < now }
        crashes.append(now)
        guard crashes.count < Self.crashLimit else { return nil }
        return Self.pauses[min(crashes.count, Self.pauses.count) - 1]
    }
}
