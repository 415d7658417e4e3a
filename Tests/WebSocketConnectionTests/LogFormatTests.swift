import EventLoop
import Foundation
import Testing
import WebSocketProtocol

@testable import WebSocketConnection

@Suite("Log lines in both formats")
struct LogFormatTests {
    static let moment = LogMoment(seconds: 1_772_366_400, milliseconds: 7)

    static let messages = [
        "", "plain", "\"quoted\" and \\", "line\nfeed\r\t", "\u{0}\u{1F}\u{7F}", "\u{2028}\u{2029}",
        "wörld 🌍", "a/b",
    ]

    @Test("RFC 8259: any message is one line and comes back", arguments: messages)
    func json(_ message: String) throws {
        let fields = [
            LogField(name: "text", value: .text(message)),
            LogField(name: "number", value: .number(-3)),
            LogField(name: "flag", value: .flag(true)),
        ]
        let line = LogFormat.json.line(.warning, message, fields, Self.moment)
        #expect(line.hasSuffix("}\n") && line.unicodeScalars.filter { $0.value < 32 } == ["\n"])
        let object = try #require(
            try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: any Sendable])
        #expect(object["time"] as? String == "2026-03-01T12:00:00.007Z")
        #expect(object["level"] as? String == "warning")
        #expect(object["message"] as? String == message && object["text"] as? String == message)
        #expect(object["number"] as? Int == -3 && object["flag"] as? Bool == true)
    }

    @Test("text is time, level, message")
    func text() {
        let line = LogFormat.text.line(.info, "hello", [], Self.moment)
        #expect(line.hasSuffix(".007 info hello\n") && line.split(separator: " ").count == 4)
    }

    @Test("an access line says the same in both formats")
    func access() throws {
        var line = AccessLine(
            connectionID: 5, route: "/echo", peer: try address("127.0.0.1", port: 5),
            isCompressed: true)
        #expect(line.text == "open /echo 127.0.0.1:5 compressed")
        #expect(line.fields.map(\.name) == ["event", "connection", "route", "peer", "compressed"])
        line.end = AccessLine.End(
            code: .abnormalClosure, unansweredCode: .goingAway, duration: .milliseconds(1_500),
            receivedMessageCount: 1, receivedByteCount: 2, sentMessageCount: 3, sentByteCount: 4)
        #expect(
            line.text == "close /echo 127.0.0.1:5 code=1006 (no answer to 1001) 1500 ms, "
                + "received 1 messages 2 bytes, sent 3 messages 4 bytes")
        let numbers = line.fields.dropFirst(5).map { "\($0.name) \($0.value)" }
        #expect(
            numbers == [
                "code number(1006)", "duration_ms number(1500)", "messages_in number(1)",
                "bytes_in number(2)", "messages_out number(3)", "bytes_out number(4)",
                "unanswered_code number(1001)",
            ])
    }
}

@Suite("Lines that strangers can cause")
struct RepeatLimitTests {
    static func at(_ milliseconds: Int64) -> MonotonicTime {
        MonotonicTime(nanoseconds: milliseconds * 1_000_000)
    }

    @Test("ten of a kind in a second, then their number")
    func window() {
        var limit = RepeatLimit()
        let admitted = (0..<1_244).filter {
            limit.admits(.badRequest, .info, at: Self.at(Int64($0 / 2)))
        }
        #expect(admitted == Array(0..<10))
        let early = limit.takeDue(at: Self.at(999))
        #expect(!limit.isEmpty && early.isEmpty)
        let due = limit.takeDue(at: Self.at(1_000))
        #expect(due == [.init(kind: .badRequest, level: .info, count: 1_234)])
        #expect(due.first?.text == "bad requests: and 1234 more like that")
        let late = limit.takeDue(at: Self.at(5_000))
        #expect(limit.isEmpty && late.isEmpty)
        let isAdmittedAgain = limit.admits(.badRequest, .info, at: Self.at(1_001))
        #expect(isAdmittedAgain)
    }

    @Test("kinds do not share, seconds begin anew")
    func kinds() {
        var limit = RepeatLimit()
        var admittedCount = 0
        for kind in StrangerLine.allCases {
            for time in Array(repeating: Self.at(0), count: 10) + [Self.at(1_000)] {
                if limit.admits(kind, .debug, at: time) { admittedCount += 1 }
            }
        }
        #expect(limit.isEmpty && admittedCount == 11 * StrangerLine.allCases.count)
        let due = limit.takeDue(at: Self.at(9_000))
        #expect(due.isEmpty)
    }
}
