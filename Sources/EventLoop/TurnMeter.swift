/// The longest turn of a loop in some stretch of time.
struct TurnMeter {
    var longest: Duration = .zero
}

extension Loop {
    /// Begins to measure turns, which costs a look at the clock each. On the loop's thread.
    public func measureTurns() { turnMeter = TurnMeter() }

    /// The longest turn since the last call, the present one as far as it has come; zero if turns
    /// are not measured. On the loop's thread.
    public func takeLongestTurn() -> Duration {
        noteTurnEnd()
        defer { turnMeter?.longest = .zero }
        return turnMeter?.longest ?? .zero
    }

    /// On the loop's thread, before it waits.
    func noteTurnEnd() {
        guard let longest = turnMeter?.longest else { return }
        turnMeter?.longest = max(longest, MonotonicTime.current() - now)
    }
}
