import EventLoop

/// Decides when a server that crashed is started again: at once, then later and later, without end.
struct RestartPolicy {
    /// So long without another crash, and the next one counts as the first.
    static let interval: Duration = .seconds(10)
    /// After the second crash; doubles from then on. After the first there is no pause: clients
    /// are waiting.
    static let firstPause: Duration = .milliseconds(100)
    static let pauseLimit: Duration = .seconds(30)

    private var crashCount = 0
    /// When all crashes so far are forgotten.
    private var forgetting: MonotonicTime?

    /// - Returns: how long to wait before the next start.
    mutating func pauseAfterCrash(at now: MonotonicTime) -> Duration {
        if let forgetting, forgetting <= now { crashCount = 0 }
        let pause =
            crashCount == 0
            ? .zero : min(Self.firstPause * (1 << min(crashCount - 1, 20)), Self.pauseLimit)
        crashCount += 1
        forgetting = now + pause + Self.interval
        return pause
    }
}
