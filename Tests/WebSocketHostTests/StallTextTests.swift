import Testing

@testable import WebSocketHost

@Suite("What the log says of a blocked loop")
struct StallTextTests {
    @Test("who blocks, how long, and who waits")
    func text() {
        var text = StallText(route: "/block", duration: .milliseconds(1_204))
        text.waiting = [("/a", 0), ("/b", 2), ("/c", 5)]
        text.requestCount = 1
        #expect(
            text.whileBlocked.hasPrefix(
                "the handler of /block has been blocking its thread for 1204 ms: other connections "
                    + "wait (5 of /c, 2 of /b, 1 without a WebSocket). "))
        #expect(text.afterwards == "the handler of /block blocked its thread for 1204 ms")
    }

    @Test("nobody waits, and nobody is known")
    func nobody() {
        let text = StallText(duration: .seconds(1))
        #expect(
            text.whileBlocked.hasPrefix(
                "something has been blocking its thread for 1000 ms: no other connection waits. "))
    }

    @Test("so many routes that not all are named")
    func manyRoutes() {
        var text = StallText(route: "/block", duration: .seconds(1))
        text.waiting = (1...11).map { ("/\($0)", $0) }
        #expect(text.whileBlocked.contains("(11 of /11, 10 of /10, 9 of /9, 8 of /8, 7 of /7,"))
        #expect(text.whileBlocked.contains("4 of /4, 6 of 3 other routes)"))
    }
}
