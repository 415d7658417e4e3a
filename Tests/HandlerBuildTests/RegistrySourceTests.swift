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
        let text = RegistrySource.list([
            .init(path: "echo_wsh.swift", source: .exported("echo_wsh")),
            .init(path: #"sub/a"b_wsh.swift"#, source: .failure("1:1: error: \"x\"\n")),
        ])
        #expect(
            text == #"""
                // Generated: the list of all handlers.
                import WebSocketHost
                import echo_wsh

                private func registration0() -> Registration {
                    echo_wsh.exportedRegistration()
                }

                private func registration1() -> Registration {
                Registration(route: "/sub/a\"b", source: "sub/a\"b_wsh.swift", \#
                failure: "1:1: error: \"x\"\u{a}")
                }

                let registrations: [Registration] = [
                    registration0(),
                    registration1(),
                ]

                """#)
    }

    @Test("a route has all bytes in front of _wsh.swift, whatever character they are part of")
    func routes() {
        // U+0600 stands before a sign and makes one character with it.
        let text = RegistrySource.export(path: "sub/\u{600}_wsh.swift")
        #expect(text.utf8.contains("route: \"/sub/\u{600}\"".utf8))
    }

    @Test("no handlers")
    func none() {
        #expect(RegistrySource.list([]).hasSuffix("let registrations: [Registration] = [\n]\n"))
    }

    @Test("errors are reported in the author's file, of each name once")
    func located() {
        let text = RegistrySource.list([
            .init(path: "x/a_wsh.swift", source: .module("a", file: "/h/x/a_wsh.swift")),
            .init(path: "y/a_wsh.swift", source: .module("b", file: "/h/y/a_wsh.swift")),
        ])
        #expect(
            text.contains("#sourceLocation(file: \"/h/x/a_wsh.swift\", line: 1)\nRegistration("))
        #expect(text.contains("handler: a.handler") && text.contains("handler: b.handler"))
        #expect(!text.contains("/h/y/"))
    }

    @Test("what is compiled with a handler file")
    func export() {
        let text = RegistrySource.export(path: "sub/a_wsh.swift")
        #expect(
            text.contains(
                """
                Registration(route: "/sub/a", source: "sub/a_wsh.swift", handler: exportedHandler())
                """))
    }
}
