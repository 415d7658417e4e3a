import EventLoop
import Testing

@testable import WebSocketConnection

@Suite("The wait for a sign of life")
struct PongWaitTests {
    private let start = MonotonicTime(nanoseconds: 1_000_000_000_000)
    private let timeout = Duration.seconds(20)

    private func signs(
        acknowledged: Int = 0, outstanding: Int = 0, unsent: Int = 0, window: Int = 0,
        unread: Int = 0, unanswered: Duration? = nil
    ) -> PeerSigns {
        PeerSigns(
            acknowledgedByteCount: acknowledged, outstandingByteCount: outstanding,
            unsentByteCount: unsent, windowByteCount: window, unreadByteCount: unread,
            unansweredFor: unanswered)
    }

    private func wait(_ before: PeerSigns? = nil, isHandlerWaiting: Bool = false) -> PongWait {
        PongWait(at: start, hasPing: true, isHandlerWaiting: isHandlerWaiting, before)
    }

    private func look(
        _ wait: PongWait, after seconds: Int, _ current: PeerSigns, isReadingPaused: Bool = false
    ) -> PongWait.Outcome {
        wait.look(
            current, at: start + .seconds(seconds), timeout: timeout,
            isReadingPaused: isReadingPaused)
    }

    @Test("nothing was on its way: one look, at the end of the time-out")
    func idle() {
        let wait = wait()
        #expect(wait.delay(timeout, from: start) == timeout)
        #expect(look(wait, after: 19, signs()) == .waitOn(asks: false))
        // Its kernel has taken the Ping, which is no sign of the peer.
        #expect(look(wait, after: 20, signs(acknowledged: 16)) == .isGone)
    }

    @Test("a peer that reads what was sent before begins the time-out anew, until it has read all")
    func progress() {
        let wait = wait(signs(outstanding: 1_000))
        for second in 1..<100 {
            #expect(wait.delay(timeout, from: start + .seconds(second - 1)) <= .seconds(5))
            let signs = signs(acknowledged: 10 * second, outstanding: 1_000 - 10 * second)
            #expect(look(wait, after: second, signs) == .waitOn(asks: false))
        }
        // The Ping has arrived with the last of it: what is sent behind counts no more.
        #expect(look(wait, after: 100, signs(acknowledged: 1_016)) == .waitOn(asks: true))
        #expect(
            look(wait, after: 119, signs(acknowledged: 5_000, outstanding: 9))
                == .waitOn(asks: false))
        #expect(look(wait, after: 120, signs(acknowledged: 6_000)) == .isGone)
    }

    @Test("a peer whose kernel has taken all, and has more room each time, is reading")
    func window() {
        let wait = wait(signs(outstanding: 1_000))
        for second in 1...100 {
            #expect(
                look(wait, after: second, signs(acknowledged: 1_016, window: 10 * second))
                    == .waitOn(asks: true))
        }
        #expect(
            look(wait, after: 119, signs(acknowledged: 1_016, window: 1_000))
                == .waitOn(asks: true))
        #expect(look(wait, after: 120, signs(acknowledged: 1_016, window: 990)) == .isGone)
    }

    @Test("what is behind the Ping counts while it does not fit into the peer's kernel")
    func stream() {
        let wait = wait(signs(outstanding: 1_000, unsent: 500))
        for second in 1...100 {
            #expect(
                look(
                    wait, after: second,
                    signs(acknowledged: 1_000 * second, outstanding: 9_500, unsent: 9_000))
                    == .waitOn(asks: false))
        }
        #expect(
            look(wait, after: 119, signs(acknowledged: 100_000, outstanding: 9_500, unsent: 9_000))
                == .waitOn(asks: false))
        #expect(
            look(wait, after: 120, signs(acknowledged: 100_000, outstanding: 9_500, unsent: 9_000))
                == .isGone)
    }

    @Test("a peer that stops reading is gone after a time-out") func stopped() {
        let wait = wait(signs(outstanding: 1_000))
        #expect(
            look(wait, after: 5, signs(acknowledged: 10, outstanding: 990)) == .waitOn(asks: false))
        #expect(
            look(wait, after: 24, signs(acknowledged: 10, outstanding: 990)) == .waitOn(asks: false)
        )
        #expect(look(wait, after: 25, signs(acknowledged: 10, outstanding: 990)) == .isGone)
    }

    @Test("while reading is paused, who is to blame depends on what the kernel has")
    func paused() {
        // (unread before and after, whether the handler waits for the peer, unanswered) → outcome
        let rows: [(Int, Int, Bool, Duration?, PongWait.Outcome)] = [
            (0, 0, false, nil, .isGone),
            (0, 16, false, nil, .isAlive),
            (100, 116, true, nil, .isAlive),
            (100, 100, false, nil, .isAlive),
            (100, 100, false, .seconds(1), .isAlive),
            (100, 100, false, .seconds(20), .isGone),
            (100, 100, true, nil, .isGone),
        ]
        for (before, after, isHandlerWaiting, unanswered, outcome) in rows {
            let wait = wait(signs(unread: before), isHandlerWaiting: isHandlerWaiting)
            let found = look(
                wait, after: 20, signs(unread: after, unanswered: unanswered),
                isReadingPaused: true)
            #expect(found == outcome, "\(before) \(after) \(isHandlerWaiting)")
        }
    }
}
