import EventLoop
import Testing

@Suite("Token buckets")
struct RateLimitTests {
    private func moment(_ milliseconds: Int64) -> MonotonicTime {
        MonotonicTime(nanoseconds: milliseconds * 1_000_000)
    }

    @Test("a full bucket gives its burst at once, then a token for each interval")
    func burst() {
        let limit = RateLimit(10, in: .seconds(1), burst: 3)
        var full = moment(0)
        for _ in 0..<3 {
            #expect(limit.moment(ofTokens: 1, before: full) <= moment(5_000))
            full = limit.taking(from: full, at: moment(5_000))
        }
        #expect(limit.moment(ofTokens: 0, before: full) == moment(5_000))
        #expect(limit.moment(ofTokens: 1, before: full) == moment(5_100))
        #expect(limit.moment(ofTokens: 3, before: full) == moment(5_300))
        // One too many is owed.
        full = limit.taking(from: full, at: moment(5_000))
        #expect(limit.moment(ofTokens: 0, before: full) == moment(5_100))
        #expect(limit.moment(ofTokens: 1, before: full) == moment(5_200))
        #expect(limit.refillTime == .milliseconds(300))
    }

    @Test("any numbers are taken, and none overflows")
    func extremes() {
        for limit in [
            RateLimit(0, in: .zero, burst: 0), RateLimit(.max, in: .seconds(1), burst: .max),
            RateLimit(1, in: .seconds(Int64.max), burst: .max),
            RateLimit(.min, in: .seconds(-5), burst: .min),
        ] {
            for nanoseconds in [Int64.min, -1, 0, 1, .max] {
                let full = MonotonicTime(nanoseconds: nanoseconds)
                _ = limit.taking(from: full, at: moment(1))
                _ = limit.moment(ofTokens: 1, before: full)
            }
            #expect(limit.refillTime > .zero)
        }
    }
}
