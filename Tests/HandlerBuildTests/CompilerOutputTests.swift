import EventLoop
import HandlerBuild
import TestSupport
import Testing

@Suite("What the compiler wrote")
struct CompilerOutputTests {
    static let heads: [Row<String, Diagnostic>] = [
        Row(
            "an error", "/site/handlers/sub/b_wsh.swift:3:14: error: no: such thing",
            Diagnostic(
                .error, at: .author("sub/b_wsh.swift", line: 3, column: 14), "no: such thing")),
        Row(
            "a path with colons", "/site/handlers/a:1:2: b_wsh.swift:3:14: warning: text",
            Diagnostic(
                .warning, at: .author("a:1:2: b_wsh.swift", line: 3, column: 14), "text")),
        Row(
            "the end of a copy", "/build/a/handler.swift:4:1: error: expected '}'",
            Diagnostic(
                .error, at: .author("a_wsh.swift", line: 3, column: 1), "expected '}'")),
        Row(
            "the line before a copy's first", "/build/a/handler.swift:1:1: error: text",
            Diagnostic(.error, at: .author("a_wsh.swift", line: 1, column: 1), "text")),
        Row(
            "helper code", "/build/Shared/,util,text.swift:1:23: error: text",
            Diagnostic(.error, at: .author("util/text.swift", line: 1, column: 23), "text")),
        Row(
            "elsewhere", "/usr/lib/swift/x.swift:1:2: remark: text",
            Diagnostic(.remark, at: .other("/usr/lib/swift/x.swift", line: 1, column: 2), "text")),
        Row(
            "beside the directory", "/site/handlers2/x.swift:1:2: error: text",
            Diagnostic(.error, at: .other("/site/handlers2/x.swift", line: 1, column: 2), "text")),
        Row(
            "a place that an author made up", "x.swift:1:2: error: text",
            Diagnostic(.error, at: .other("x.swift", line: 1, column: 2), "text")),
        Row(
            "no place", "<unknown>:0: error: missing required module 'COpenSSL'",
            Diagnostic(
                .error, at: .other("", line: 0, column: 0), "missing required module 'COpenSSL'")),
        Row(
            "the driver", "error: fatal",
            Diagnostic(.error, at: .other("", line: 0, column: 0), "fatal")),
    ]

    @Test("the first line of a message", arguments: heads)
    func head(_ row: Row<String, Diagnostic>) {
        #expect(output(row.input).diagnostics == [row.expected])
        #expect(output(row.input + "\n").diagnostics == [row.expected])
    }

    @Test("a path with quotation marks, as the compiler writes it")
    func quotes() {
        let original = #"/it's "odd" \/a_wsh.swift"#
        let copies = [CompilerOutput.Copy(copy: "/b/handler.swift", original: original)]
        let text = #"/it's \"odd\" \\/a_wsh.swift:3:1: error: text"#
        let found = CompilerOutput(Array(text.utf8), root: #"/it's "odd" \"#, copies: copies)
        #expect(
            found.diagnostics.map(\.place) == [.author("a_wsh.swift", line: 3, column: 1)])
    }

    static let others = [
        "", "\n\n", "error:", "a:1:2:error: x", "a:1: error: x", "a:x:2: error: x",
        "a:1:2: fatal: x",
        "a:12345678901234567890:1: error: x", ":::::", "  ^~~~", "error", "warning:x",
    ]

    @Test("what is none", arguments: others)
    func other(_ text: String) { #expect(output(text).diagnostics.isEmpty) }

    @Test("lines and notes belong to the message above them")
    func details() throws {
        let text = """
            <module-includes>: chatter
            /site/handlers/a_wsh.swift:2:5: error: first
            var names = 0
                ^

            /site/handlers/a_wsh.swift:2:5: note: why
            var names = 0
            ~~~ ^
            let
            /site/handlers/a_wsh.swift:9:1: warning: second

            """
        let found = output(text).diagnostics
        #expect(found.map(\.message) == ["first", "second"])
        #expect(found[0].details == ["var names = 0", "    ^"])
        #expect(found[0].notes.map(\.message) == ["why"])
        #expect(found[0].notes[0].details == ["var names = 0", "~~~ ^", "let"])
        #expect(
            found[0].text(under: "handlers")
                == """
                handlers/a_wsh.swift:2:5: error: first
                var names = 0
                    ^
                handlers/a_wsh.swift:2:5: note: why
                var names = 0
                ~~~ ^
                let

                """)
    }

    @Test("a crash ends what is read")
    func crash() {
        let found = output(
            "/site/handlers/a_wsh.swift:1:1: error: x\nStack dump:\n0. Program\na:1:1: error: y\n")
        #expect(found.hasCrashed)
        #expect(found.diagnostics.map(\.message) == ["x"])
    }

    @Test("bytes in another encoding, control characters, long lines")
    func repaired() {
        let line = Array("/site/handlers/a_wsh.swift:1:7: error: invalid UTF-8\n// caf".utf8)
        let found = output(line + [0xE9, 0x1B, 0x00, 0x09, 0x21, 0x0A])
        #expect(found.diagnostics.first?.details == ["// caf\u{FFFD}\u{FFFD}\u{FFFD}\t!"])
        let long = output(line + [UInt8](repeating: 0x78, count: 1_000_000))
        #expect(long.diagnostics.first?.details.first?.utf8.count == 1_000)
    }

    @Test("any bytes are read")
    func anyBytes() {
        var generator = SeededGenerator(seed: 1)
        let words = ["/site/handlers/a:", "1:", ":2: ", "error: ", "note: ", "\n", "\u{E9}", " ^"]
            .map { Array($0.utf8) }
        for _ in 0..<2_000 {
            var bytes: [UInt8] = []
            for _ in 0..<Int.random(in: 0..<20, using: &generator) {
                if Bool.random(using: &generator) {
                    bytes += words.randomElement(using: &generator) ?? []
                } else {
                    bytes.append(UInt8.random(in: .min ... .max, using: &generator))
                }
            }
            for diagnostic in output(bytes).diagnostics { _ = diagnostic.text(under: "x") }
            _ = CompilerMessages.ofHandler(
                "a", source: bytes, export: "/site/handlers/a", output(bytes), isCompiled: false)
            _ = LinkerMessages.blamed(bytes, objects: ["a": "b"])
        }
    }
}
