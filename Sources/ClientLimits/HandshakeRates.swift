import EventLoop

/// For each client, when its bucket of handshakes is full again; see ``RateLimit``. One word in
/// memory that all server processes share: a process that ends takes nothing along.
struct HandshakeRates {
    private let sets: AddressSets

    /// Values are moments since the machine was started, in steps of 0.1 ms: 42 bits are 13 years.
    private static let valueBitCount = 42
    private static let stepNanoseconds: Int64 = 100_000

    init(_ memory: UnsafeMutableRawPointer) {
        sets = AddressSets(memory, valueBitCount: Self.valueBitCount)
    }

    /// Takes a token of a client's bucket.
    func admit(_ hash: UInt64, _ limit: RateLimit, at now: MonotonicTime) -> RateOutcome {
        let present = value(now)
        // A later one was made neither by this limit nor, before a new start, by any other.
        let latest = value(now + max(limit.refillTime, Self.longestRefillTime))
        for _ in 0..<AddressSets.attemptLimit {
            // A bucket that is full now is as good as none.
            let (own, free) = sets.find(hash) { $0 <= present || $0 > latest }
            guard let place = own ?? free else { return .notCounted }
            let known = own.map { moment(sets.value($0.word)) } ?? now
            // Under a stricter limit than this one it may have owed more.
            let full = min(known, now + limit.refillTime)
            let next = limit.moment(ofTokens: 1, before: full)
            guard next <= now else {
                if known > full {
                    _ = sets.replace(place, by: sets.word(hash, value(full)))
                }
                return .refused(retryAfter: next - now)
            }
            let word = sets.word(hash, value(limit.taking(from: full, at: now)))
            if sets.replace(place, by: word) { return .admitted }
        }
        return .notCounted
    }

    /// A minute's handshakes are the burst; rounding may add to it.
    private static let longestRefillTime: Duration = .seconds(61)

    private func moment(_ value: UInt64) -> MonotonicTime {
        MonotonicTime(nanoseconds: Int64(value) &* Self.stepNanoseconds)
    }

    /// Rounded down, so that nobody who waits as long as it was told comes too early.
    private func value(_ moment: MonotonicTime) -> UInt64 {
        UInt64(max(0, moment.nanoseconds) / Self.stepNanoseconds)
    }
}

package enum RateOutcome: Equatable, Sendable {
    case admitted
    case refused(retryAfter: Duration)
    /// There is no room for the client: no limit applies to it.
    case notCounted
}
