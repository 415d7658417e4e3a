import EventLoop
import Testing

@testable import WebSocketHost

@Suite("The longest wait of late")
struct RecentLongestTests {
    private static func time(_ seconds: Int64) -> MonotonicTime {
        MonotonicTime(nanoseconds: 1_000_000_000_000) + .seconds(seconds)
    }

    @Test("it is remembered for 30 seconds at least, and for 60 at most")
    func memory() {
        var longest = RecentLongest()
        #expect(longest.note(.milliseconds(5), at: Self.time(0)) == .milliseconds(5))
        #expect(longest.note(.milliseconds(900), at: Self.time(29)) == .milliseconds(900))
        #expect(longest.note(.milliseconds(1), at: Self.time(30)) == .milliseconds(900))
        #expect(longest.note(.milliseconds(2), at: Self.time(59)) == .milliseconds(900))
        #expect(longest.note(.milliseconds(1), at: Self.time(60)) == .milliseconds(2))
        #expect(longest.note(.zero, at: Self.time(90)) == .milliseconds(1))
    }

    @Test("after a pause nothing is left of what was before")
    func pause() {
        var longest = RecentLongest()
        #expect(longest.note(.seconds(3), at: Self.time(0)) == .seconds(3))
        #expect(longest.note(.zero, at: Self.time(61)) == .zero)
    }
}
