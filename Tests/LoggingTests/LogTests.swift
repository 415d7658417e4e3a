import Synchronization
import Testing

@testable import Logging

@Suite("Log")
struct LogTests {
    static let rows: [(name: String, text: String, shown: String)] = [
        ("plain", "hello, wörld", "hello, wörld"),
        ("line feed", "a\nb", "a\\nb"),
        ("escape sequence", "\u{1B}[31m", "\\u{1B}[31m"),
        ("direction override", "a\u{202E}b", "a\\u{202E}b"),
        ("backslash", "a\\n", "a\\\\n"),
        ("NUL", "\0", "\\0"),
    ]

    @Test("what came from outside is shown on one line", arguments: rows)
    func escape(_ name: String, _ text: String, _ shown: String) {
        #expect(escaped(text) == shown, "\(name)")
    }

    @Test("long text is cut and counted")
    func cut() {
        #expect(escaped("abcdef", limit: 3) == "abc… (6 characters)")
    }

    @Test("lines go to whom they are given, without their ends, and by level")
    func onLine() {
        let lines = Mutex<[String]>([])
        var settings = LogSettings(level: .warning)
        let log = Log(settings) { line in lines.withLock { $0.append(line) } }
        log(.info, "left out")
        log(.warning, "shown")
        log.announce("one\ntwo")
        let shown = lines.withLock { $0 }
        #expect(shown.count == 2 && shown.last == "one\ntwo")
        #expect(shown.first?.hasSuffix("shown") == true && shown.first?.contains("left") == false)
        settings.format = .json
        Log(settings) { line in lines.withLock { $0 = [line] } }(.error, "as JSON")
        #expect(
            lines.withLock { $0.first?.hasPrefix("{") == true && $0.first?.hasSuffix("}") == true })
    }

    @Test("level names", arguments: LogLevel.allCases)
    func level(_ level: LogLevel) {
        #expect(LogLevel(name: level.name.uppercased()) == level)
        #expect(LogLevel(name: "warn") == .warning && LogLevel(name: "loud") == nil)
    }
}
