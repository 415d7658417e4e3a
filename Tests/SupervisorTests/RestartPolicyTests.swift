import EventLoop
import Testing

@testable import Supervisor

@Suite("When a crashed server is started again")
struct RestartPolicyTests {
    private let start = MonotonicTime.current()

    @Test("at once, then later and later, then no more")
    func backsOff() {
        var policy = RestartPolicy()
        let pauses = (0..<RestartPolicy.crashLimit).map {
            policy.pauseAfterCrash(at: start + .seconds($0))
        }
        #expect(pauses == [.zero, .milliseconds(100), .milliseconds(200), .milliseconds(400), nil])
    }

    @Test("crashes that are far apart do not add up")
    func forgets() {
        var policy = RestartPolicy()
        for count in 0..<100 {
            #expect(policy.pauseAfterCrash(at: start + .seconds(11 * count)) == .zero)
        }
    }

    @Test("the window moves on")
    func window() {
        var policy = RestartPolicy()
        for second in [0, 1, 2, 3] { _ = policy.pauseAfterCrash(at: start + .seconds(second)) }
        // The first two are more than 10 s ago.
        #expect(policy.pauseAfterCrash(at: start + .milliseconds(11_500)) == .milliseconds(200))
    }
}
