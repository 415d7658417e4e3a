import EventLoop
import Foundation
import Synchronization
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
                receivedMessageCount: 1, receivedByteCount: 2, sentMessageCount: 3, sentByteCount: 1
            ))
        let shown =
            "close /echo 127.0.0.1:5 code=1006 (no answer to 1001) 1500 ms, "
            + "received 1 message 2 bytes, sent 3 messages 1 byte"
        #expect(text(.text, close).hasSuffix("info \(shown)"))
        let members = try members(close)
        #expect(members["message"] as? String == shown && members["event"] as? String == "close")
        #expect(members["compressed"] as? Bool == true && members.count == 15)
        for (name, number) in [
            ("connection", 5), ("code", 1006), ("unanswered_code", 1001), ("duration_ms", 1_500),
            ("messages_in", 1), ("bytes_in", 2), ("messages_out", 3), ("bytes_out", 1),
        ] {
            #expect(members[name] as? Int == number, "\(name)")
        }
    }
}

extension LogLineTests {
    @Test("a refused handshake, answered or not")
    func refusal() throws {
        let peer = try address("127.0.0.1", port: 5)
        let line = RefusalLine(route: "/chat", peer: peer, status: 403, reason: "not today")
        let shown = "refused /chat 127.0.0.1:5 403: not today"
        #expect(text(.text, line).hasSuffix("info \(shown)"))
        let members = try members(line)
        #expect(members["event"] as? String == "refused" && members["status"] as? Int == 403)
        #expect(
            members["route"] as? String == "/chat" && members["peer"] as? String == "127.0.0.1:5")
        #expect(
            members["reason"] as? String == "not today" && members["message"] as? String == shown)
        let aborted = RefusalLine(route: "/chat", peer: peer, status: nil, reason: "closed")
        #expect(text(.text, aborted).hasSuffix("info refused /chat 127.0.0.1:5: closed"))
    }

    @Test("a request for a page")
    func request() throws {
        let line = AnswerLine(
            method: "GET", path: "/a", peer: try address("127.0.0.1", port: 5), status: 200,
            byteCount: 1)
        #expect(text(.text, line).hasSuffix("info GET /a 127.0.0.1:5 200 1 byte"))
        let members = try members(line)
        #expect(members["event"] as? String == "request" && members["method"] as? String == "GET")
        #expect(members["path"] as? String == "/a" && members["bytes"] as? Int == 1)
    }

    @Test("requests have a level of their own", arguments: LogLevel.allCases)
    func requestLevel(_ level: LogLevel) throws {
        let lines = Mutex<[String]>([])
        var settings = LogSettings(level: .info)
        settings.requestLevel = level
        let log = Log(settings) { line in lines.withLock { $0.append(line) } }
        let peer = try address("127.0.0.1", port: 5)
        log.request(AnswerLine(method: "GET", path: "/", peer: peer, status: 200, byteCount: 0))
        let written = lines.withLock { $0 }
        #expect(written.count == (level >= .info ? 1 : 0))
        #expect(written.allSatisfy { $0.contains(" \(level.name) GET / ") })
    }

    @Test("levels have colours where they are wanted, never in JSON", arguments: LogLevel.allCases)
    func colors(_ level: LogLevel) {
        var plain = LineText(.text)
        var colored = LineText(.text, isColored: true)
        var json = LineText(.json, isColored: true)
        for _ in 0..<2 {
            plain.write(level, Self.moment, MessageLine("hello"))
            colored.write(level, Self.moment, MessageLine("hello"))
            json.write(level, Self.moment, MessageLine("hello"))
            let (plainText, coloredText, jsonText) = (plain.text, colored.text, json.text)
            #expect(plainText.hasSuffix(" \(level.name) hello") && !plainText.contains("\u{1B}"))
            #expect(coloredText.hasSuffix("m\(level.name)\u{1B}[0m hello"))
            #expect(!jsonText.contains("\u{1B}") && !jsonText.contains("u001b"))
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
