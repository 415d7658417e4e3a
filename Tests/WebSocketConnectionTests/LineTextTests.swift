import EventLoop
import Testing
import WebSocketProtocol

@testable import WebSocketConnection

@Suite("Lines put together from pieces")
struct LineTextTests {
    @Test("numbers are written as String writes them", arguments: [
        0, 1, 9, 10, 99, 100, 101, 4_096, 65_535, 1_000_000, -1, -10, .min, .max,
    ])
    func number(_ number: Int) {
        var line = LineText()
        line.append(number)
        #expect(line.text == String(number))
    }

    @Test("texts of any length and script stay what they are")
    func texts() {
        let long = String(repeating: "/a long path", count: 100)
        var line = LineText()
        for text in ["", "plain", "wörld 🌍", long] { line.append(text) }
        #expect(line.text == "plainwörld 🌍" + long)
    }

    @Test("an access line is the same with and without text in front")
    func accessLine() {
        let line = AccessLine(
            connectionID: 7, route: "/ä", peer: "[::1]:80", isCompressed: true, end: nil)
        let moment = LogMoment(seconds: 1_772_366_400, milliseconds: 7)
        var whole = LineText(.info, moment)
        line.append(to: &whole)
        whole.append("\n")
        #expect(line.text == "open /ä [::1]:80 compressed")
        #expect(whole.text == LogFormat.text.line(.info, line.text, [], moment))
    }
}
