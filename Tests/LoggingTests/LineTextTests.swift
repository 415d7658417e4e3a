import EventLoop
import Testing

@testable import Logging

@Suite("Lines put together from pieces")
struct LineTextTests {
    @Test(
        "numbers are written as String writes them",
        arguments: [
            0, 1, 9, 10, 99, 100, 101, 4_096, 65_535, 1_000_000, -1, -10, .min, .max,
        ])
    func number(_ number: Int) {
        var line = LineText(.text)
        line.append(number)
        let text = line.text
        #expect(text == String(number))
    }

    @Test("texts of any length and script stay what they are")
    func texts() {
        let long = String(repeating: "/a long path", count: 100)
        var line = LineText(.text)
        for text in ["", "plain", "wörld 🌍", long] { line.append(text: text) }
        let whole = line.text
        #expect(whole == "plainwörld 🌍" + long)
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
            var line = LineText(.text)
            line.append(address)
            let text = line.text
            let place = host.contains(":") ? "[\(host)]" : host
            #expect(text == (port == 0 ? place : "\(place):\(port)"))
            #expect(text == address.description)
        }
    }

    /// The time's text is kept within a second.
    @Test("a line in the memory of others is the same as in its own", arguments: LogFormat.allCases)
    func lines(_ format: LogFormat) {
        var line = LineText(format)
        for (seconds, milliseconds) in [
            (0, 0), (0, 999), (1, 7), (1, 7), (1, 80), (1_772_366_400, 123), (1, 6),
        ] {
            let moment = LogMoment(seconds: seconds, milliseconds: milliseconds)
            for message in [
                "", "longer than the one behind it", "short", String(repeating: "x", count: 1_000),
            ] {
                line.write(.warning, moment, MessageLine(message))
                let text = line.text
                let digits = String("00\(milliseconds)".suffix(3))
                let time = "\(moment.wholeSeconds(format)).\(digits)"
                switch format {
                case .text: #expect(text == "\(time) warning \(message)")
                case .json:
                    #expect(
                        text == #"{"time":"\#(time)Z","level":"warning","message":"\#(message)"}"#)
                }
            }
        }
    }
}

func address(_ host: String, port: UInt16) throws -> SocketAddress {
    try #require(try SocketAddress.resolve(host: host, port: port).first)
}
