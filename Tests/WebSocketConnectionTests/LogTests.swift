import Testing

@testable import WebSocketConnection

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

    @Test("level names", arguments: LogLevel.allCases)
    func level(_ level: LogLevel) {
        #expect(LogLevel(name: level.name.uppercased()) == level)
        #expect(LogLevel(name: "warn") == .warning && LogLevel(name: "loud") == nil)
    }
}
