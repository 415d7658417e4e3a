import HandlerRegistry
import TestSupport
import Testing

@Suite("Generated Swift")
struct RegistrySourceTests {
    static let literals: [Row<String, String>] = [
        Row("plain", "abc", #""abc""#), Row("empty", "", #""""#),
        Row("quotes", #"a"b\c"#, #""a\"b\\c""#), Row("interpolation", #"\(x)"#, #""\\(x)""#),
        Row("line ends", "a\nb\r\nc\r", #""a\u{a}b\u{d}\u{a}c\u{d}""#),
        Row("control characters", "\0\u{1B}\t\u{7F}", #""\u{0}\u{1b}\u{9}\u{7f}""#),
        Row("not ASCII", "naïve 日本 👩‍👩‍👧", #""naïve 日本 👩‍👩‍👧""#),
        Row("hashes", "\"#", ##""\"#""##),
    ]

    @Test("a literal", arguments: literals)
    func literal(_ row: Row<String, String>) { #expect(row.input.swiftLiteral == row.expected) }

    @Test("a list of handlers")
    func list() {
        let text = RegistrySource.text([
            .init(module: "echo_wsh", path: "echo_wsh.swift"),
            .init(module: "_sub_a_b_1", path: #"sub/a"b_wsh.swift"#, isLeftOut: true),
        ])
        #expect(
            text == #"""
                // The list of all handlers. Generated.
                import WebSocketHost
                import echo_wsh
                import _sub_a_b_1

                private func registration0() -> Registration {
                Registration(route: "/echo", source: "echo_wsh.swift", handler: echo_wsh.handler)
                }

                private func registration1() -> Registration {
                Registration(route: "/sub/a\"b", source: "sub/a\"b_wsh.swift", failure: _sub_a_b_1.failure)
                }

                let registrations: [Registration] = [
                    registration0(),
                    registration1(),
                ]

                """#)
    }

    @Test("no handlers")
    func none() {
        #expect(RegistrySource.text([]).hasSuffix("let registrations: [Registration] = [\n]\n"))
    }

    @Test("errors are reported in the author's file, of each name once")
    func located() {
        let text = RegistrySource.text([
            .init(module: "a", path: "x/a_wsh.swift", reportedAt: "/h/x/a_wsh.swift"),
            .init(module: "b", path: "y/a_wsh.swift", reportedAt: "/h/y/a_wsh.swift"),
        ])
        #expect(
            text.contains("#sourceLocation(file: \"/h/x/a_wsh.swift\", line: 1)\nRegistration("))
        #expect(!text.contains("/h/y/"))
    }

    @Test("a stand-in")
    func standIn() {
        let text = RegistrySource.standIn(failure: "a:1:1: error: \"x\"\n")
        #expect(text == "// left out\npublic let failure = \"a:1:1: error: \\\"x\\\"\\u{a}\"\n")
        #expect(text.hasPrefix(RegistrySource.standInMark))
    }
}
