import EventLoop
import Testing

@testable import Supervisor

@Suite("When a crashed server is started again")
struct RestartPolicyTests {
    private let start = MonotonicTime.current()

    @Test("at once, then later and later, without end")
    func backsOff() {
        var policy = RestartPolicy()
        var now = start
        let pauses = (0..<100).map { _ in
            let pause = policy.pauseAfterCrash(at: now)
            now = now + pause + .seconds(1)
            return pause
        }
        #expect(
            pauses.prefix(5) == [
                .zero, .milliseconds(100), .milliseconds(200), .milliseconds(400),
                .milliseconds(800),
            ])
        #expect(pauses.dropFirst(10).allSatisfy { $0 == RestartPolicy.pauseLimit })
    }

    @Test("crashes that are far apart do not add up")
    func forgets() {
        var policy = RestartPolicy()
        for count in 0..<100 {
            #expect(policy.pauseAfterCrash(at: start + .seconds(11 * count)) == .zero)
        }
    }

    @Test("a pause is no time without a crash")
    func pauses() {
        var policy = RestartPolicy()
        for _ in 0..<20 { _ = policy.pauseAfterCrash(at: start) }
        let next = start + RestartPolicy.pauseLimit + .seconds(9)
        #expect(policy.pauseAfterCrash(at: next) == RestartPolicy.pauseLimit)
        let last = next + RestartPolicy.pauseLimit + RestartPolicy.interval
        #expect(policy.pauseAfterCrash(at: last) == .zero)
    }
}
