import EventLoop
import Foundation
import Testing

@testable import Logging

/// A line as both formats show it, without its end.
private func text(
    _ format: LogFormat, _ line: some LogLine, _ level: LogLevel = .info,
    _ moment: LogMoment = LogLineTests.moment
) -> String {
    var text = LineText(format)
    text.write(level, moment, line)
    return text.text
}

/// The members of a line in JSON.
private func members(_ line: some LogLine) throws -> [String: any Sendable] {
    let json = Data(text(.json, line, .warning).utf8)
    return try #require(
        try JSONSerialization.jsonObject(with: json) as? [String: any Sendable])
}

@Suite("Log lines in both formats")
struct LogLineTests {
    static let moment = LogMoment(seconds: 1_772_366_400, milliseconds: 7)

    static let messages = [
        "", "plain", "\"quoted\" and \\", "line\nfeed\r\t", "\u{0}\u{1F}\u{7F}", "\u{2028}\u{2029}",
        "wörld 🌍", "a/b",
    ]

    struct Sample: LogLine {
        var message: String?
        var flag = true

        func addFields(to line: inout LineText) {
            line.add("text", .text("\"a\""), .plain)
            line.add("number", .number(-3), .between(" (", ")"))
            line.add("flag", .flag(flag), .after(" flag"))
            line.add("hidden", .text("h"), .hidden)
        }
    }

    @Test("RFC 8259: any message is one line and comes back", arguments: messages)
    func json(_ message: String) throws {
        let line = text(.json, Sample(message: message))
        #expect(line.unicodeScalars.allSatisfy { $0.value >= 32 })
        let members = try members(Sample(message: message))
        #expect(members["time"] as? String == "2026-03-01T12:00:00.007Z")
        #expect(members["level"] as? String == "warning")
        #expect(members["message"] as? String == message && members["text"] as? String == "\"a\"")
        #expect(members["number"] as? Int == -3 && members["flag"] as? Bool == true)
        #expect(members["hidden"] as? String == "h" && members.count == 7)
    }

    @Test("the text of the fields is the message where there is no other")
    func fields() throws {
        for (line, shown) in [
            (Sample(), "\"a\" (-3) flag"), (Sample(flag: false), "\"a\" (-3)"),
        ] {
            #expect(text(.text, line).hasSuffix(".007 info \(shown)"))
            #expect(try members(line)["message"] as? String == shown)
        }
        #expect(text(.text, Sample(message: "hi")).hasSuffix("info \"a\" (-3) flag: hi"))
    }

    @Test("text is time, level, message")
    func plain() {
        let line = text(.text, MessageLine("hello"))
        #expect(line.hasSuffix(".007 info hello") && line.split(separator: " ").count == 4)
    }

    @Test("an access line at the beginning and at the end")
    func access() throws {
        func line(_ end: AccessLine.End?) throws -> AccessLine {
            AccessLine(
                connectionID: 5, route: "/echo", peer: try address("127.0.0.1", port: 5),
                isCompressed: true, end: end)
        }
        let open = try line(nil)
        #expect(text(.text, open).hasSuffix("info open /echo 127.0.0.1:5 compressed"))
        #expect(
            text(.json, open).hasSuffix(
                #""message":"open /echo 127.0.0.1:5 compressed","event":"open","connection":5"#
                    + #","route":"/echo","peer":"127.0.0.1:5","compressed":true}"#))
        let close = try line(
            AccessLine.End(
                code: 1006, unansweredCode: 1001, duration: .milliseconds(1_500),
                receivedMessageCount: 1, receivedByteCount: 2, sentMessageCount: 3, sentByteCount: 4
            ))
        let shown =
            "close /echo 127.0.0.1:5 code=1006 (no answer to 1001) 1500 ms, "
            + "received 1 messages 2 bytes, sent 3 messages 4 bytes"
        #expect(text(.text, close).hasSuffix("info \(shown)"))
        let members = try members(close)
        #expect(members["message"] as? String == shown && members["event"] as? String == "close")
        #expect(members["compressed"] as? Bool == true && members.count == 15)
        for (name, number) in [
            ("connection", 5), ("code", 1006), ("unanswered_code", 1001), ("duration_ms", 1_500),
            ("messages_in", 1), ("bytes_in", 2), ("messages_out", 3), ("bytes_out", 4),
        ] {
            #expect(members[name] as? Int == number, "\(name)")
        }
    }
}

@Suite("Lines that peers can cause")
struct PeerEventLimitTests {
    static func at(_ milliseconds: Int64) -> MonotonicTime {
        MonotonicTime(nanoseconds: milliseconds * 1_000_000)
    }

    @Test("ten of a kind in a second, then their number")
    func window() throws {
        var limit = PeerEventLimit()
        let admitted = (0..<1_244).filter {
            limit.admits(.badRequest, .info, at: Self.at(Int64($0 / 2)))
        }
        #expect(admitted == Array(0..<10))
        let early = limit.takeDue(at: Self.at(999))
        #expect(!limit.isEmpty && early.isEmpty)
        let due = limit.takeDue(at: Self.at(1_000))
        #expect(due == [.init(kind: .badRequest, level: .info, count: 1_234)])
        let line = try #require(due.first)
        #expect(text(.text, line).hasSuffix("info bad requests: and 1234 more like that"))
        #expect(
            text(.json, line).hasSuffix(
                #""event":"repeats","kind":"bad requests","count":1234}"#))
        let late = limit.takeDue(at: Self.at(5_000))
        #expect(limit.isEmpty && late.isEmpty)
        let isAdmittedAgain = limit.admits(.badRequest, .info, at: Self.at(1_001))
        #expect(isAdmittedAgain)
    }

    @Test("kinds do not share, each second begins at zero")
    func kinds() {
        var limit = PeerEventLimit()
        var admittedCount = 0
        for kind in PeerEvent.allCases {
            for time in Array(repeating: Self.at(0), count: 10) + [Self.at(1_000)] {
                if limit.admits(kind, .debug, at: time) { admittedCount += 1 }
            }
        }
        #expect(limit.isEmpty && admittedCount == 11 * PeerEvent.allCases.count)
        let due = limit.takeDue(at: Self.at(9_000))
        #expect(due.isEmpty)
    }
}
