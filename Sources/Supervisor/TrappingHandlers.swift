import EventLoop

/// Decides which handler files are left out because they trap again and again, and for how long.
///
/// | a file that | is |
/// |---|---|
/// | has trapped less often than ``trapLimit`` within ``interval`` | served |
/// | traps that often | left out for ``firstPause`` |
/// | traps when it is served again | left out for twice as long as before, at most ``pauseLimit`` |
/// | has been served for ``forgettingTime`` without a trap | as if it had never trapped |
struct TrappingHandlers {
    static let trapLimit = 3
    static let interval: Duration = .seconds(10)
    static let firstPause: Duration = .seconds(1)
    static let pauseLimit: Duration = .seconds(300)
    static let forgettingTime: Duration = .seconds(600)

    private struct Record {
        /// Those of the last ``interval``, at most ``trapLimit``.
        var traps: [MonotonicTime] = []
        /// The last one; `nil`: it was never left out.
        var pause: Duration?
        /// When it is served again.
        var end: MonotonicTime
    }

    /// By file. There are no more than handler files.
    private var records: [ExactText: Record] = [:]

    /// Notes a trap in a file that is served.
    ///
    /// - Returns: how long it has to be left out for that; `nil`: not yet.
    mutating func trapped(_ source: String, at now: MonotonicTime) -> Duration? {
        let key = ExactText(source)
        var record = records[key] ?? Record(end: now)
        if record.end + Self.forgettingTime <= now { record = Record(end: now) }
        if let before = record.pause {
            record.pause = min(before * 2, Self.pauseLimit)
        } else {
            record.traps.removeAll { $0 + Self.interval <= now }
            record.traps.append(now)
            if record.traps.count >= Self.trapLimit { record.pause = Self.firstPause }
        }
        record.end = now + (record.pause ?? .zero)
        records[key] = record
        return record.pause
    }

    /// The files that are left out, and for how much longer.
    func leftOut(at now: MonotonicTime) -> [ExactText: Duration] {
        records.compactMapValues { $0.end > now ? $0.end - now : nil }
    }

    /// All are served again, as if they had never trapped: their files may have been corrected.
    mutating func forgetAll() { records = [:] }
}
