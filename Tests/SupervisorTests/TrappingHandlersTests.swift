import EventLoop
import Testing

@testable import Supervisor

@Suite("Handler files that trap again and again")
struct TrappingHandlersTests {
    private let start = MonotonicTime.current()

    @Test("the third trap within ten seconds is one too many")
    func limit() {
        var trapping = TrappingHandlers()
        for second in [0, 1] {
            #expect(trapping.trapped("a", at: start + .seconds(second)) == nil)
            #expect(trapping.trapped("b", at: start + .seconds(second)) == nil)
        }
        #expect(trapping.leftOut(at: start + .seconds(1)).isEmpty)
        let now = start + .seconds(2)
        #expect(trapping.trapped("a", at: now) == .seconds(1))
        #expect(trapping.leftOut(at: now) == ["a": .seconds(1)])
        #expect(trapping.leftOut(at: now + .milliseconds(400)) == ["a": .milliseconds(600)])
        #expect(trapping.leftOut(at: now + .seconds(1)).isEmpty)
    }

    @Test("traps that are far apart do not add up")
    func rare() {
        var trapping = TrappingHandlers()
        for count in 0..<100 {
            #expect(trapping.trapped("a", at: start + .seconds(5 * count)) == nil)
        }
    }

    /// Leaves the file out once; the time at which it is served again.
    private func leaveOut(_ trapping: inout TrappingHandlers) -> MonotonicTime {
        for _ in 1..<TrappingHandlers.trapLimit { _ = trapping.trapped("a", at: start) }
        return start + (trapping.trapped("a", at: start) ?? .zero)
    }

    @Test("one that traps when it is served again is left out for longer, up to a limit")
    func grows() {
        var trapping = TrappingHandlers()
        var now = leaveOut(&trapping)
        var pauses: [Duration] = []
        for _ in 0..<10 {
            now = now + .seconds(60)
            let pause = trapping.trapped("a", at: now) ?? .zero
            pauses.append(pause)
            now = now + pause
        }
        #expect(pauses.prefix(4) == [.seconds(2), .seconds(4), .seconds(8), .seconds(16)])
        #expect(pauses.last == TrappingHandlers.pauseLimit)
    }

    @Test("what was served for long is forgotten, and what was saved at once")
    func forgets() {
        var trapping = TrappingHandlers()
        var now = leaveOut(&trapping) + TrappingHandlers.forgettingTime
        #expect(trapping.trapped("a", at: now) == nil)
        for _ in 0..<2 { _ = trapping.trapped("a", at: now) }
        #expect(!trapping.leftOut(at: now).isEmpty)
        trapping.forgetAll()
        #expect(trapping.leftOut(at: now).isEmpty)
        now = now + .seconds(1)
        #expect(trapping.trapped("a", at: now) == nil)
    }
}
