import EventLoop
import Testing
import WebSocketProtocol

@testable import WebSocketConnection

@Suite("Lines put together from pieces")
struct LineTextTests {
    @Test(
        "numbers are written as String writes them",
        arguments: [
            0, 1, 9, 10, 99, 100, 101, 4_096, 65_535, 1_000_000, -1, -10, .min, .max,
        ])
    func number(_ number: Int) {
        var line = LineText()
        line.append(number)
        let text = line.text
        #expect(text == String(number))
    }

    @Test("texts of any length and script stay what they are")
    func texts() {
        let long = String(repeating: "/a long path", count: 100)
        var line = LineText()
        for text in ["", "plain", "wörld 🌍", long] { line.append(text: text) }
        let whole = line.text
        #expect(whole == "plainwörld 🌍" + long)
    }

    @Test("an access line is the same with and without text in front")
    func accessLine() throws {
        let line = AccessLine(
            connectionID: 7, route: "/ä", peer: try address("::1", port: 80), isCompressed: true)
        let moment = LogMoment(seconds: 1_772_366_400, milliseconds: 7)
        var text = LineText(.info, moment)
        line.append(to: &text)
        text.append("\n")
        let whole = text.text
        #expect(line.text == "open /ä [::1]:80 compressed")
        #expect(whole == LogFormat.text.line(.info, line.text, [], moment))
    }

    @Test(
        "addresses are written as they describe themselves",
        arguments: [
            "0.0.0.0", "9.10.99.100", "127.0.0.1", "255.255.255.255", "::", "::1",
            "2001:db8:9:10:99:100:fff:ffff",
        ])
    func addresses(_ host: String) throws {
        for port: UInt16 in [0, 9, 10, 443, 9_998, 65_535] {
            let address = try address(host, port: port)
            var line = LineText()
            line.append(address)
            let text = line.text
            #expect(text == (host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"))
            #expect(text == address.description)
        }
    }

    /// The time's text is kept within a second.
    @Test("a line in the memory of others is the same as in its own")
    func lines() {
        var line = LineText()
        for (seconds, milliseconds) in [
            (0, 0), (0, 999), (1, 7), (1, 7), (1, 80), (1_772_366_400, 123), (1, 6),
        ] {
            let moment = LogMoment(seconds: seconds, milliseconds: milliseconds)
            for message in [
                "", "longer than the one behind it", "short", String(repeating: "x", count: 1_000),
            ] {
                line.begin(.warning, moment)
                line.append(text: message)
                let text = line.text
                #expect(text == "\(moment.local) warning \(message)")
            }
        }
    }
}

func address(_ host: String, port: UInt16) throws -> SocketAddress {
    try #require(try SocketAddress.resolve(host: host, port: port).first)
}
