import Foundation
import HandlerBuild
import TestSupport
import Testing

/// The texts of the compiler are those of Swift 6.3.1.
@Suite("Messages about handler files")
struct CompilerMessagesTests {
    private static let export = """
        @inlinable public func exportedHandler() -> WebSocketHandler { handler }
                                                                       ^~~~~~~

        """
    private static let sharedState =
        "    hint: connections run at the same time: share a Mutex in a 'let', or an actor; "
        + "docs/HANDLERS.md, \"State that connections share\"\n"
    private static let anyModule =
        "    hint: a handler file can import WebSocketHost, WebSocketHostJSON, WebSocketClient, "
        + "Shared (the files without _wsh), Foundation, and the other modules of the Swift "
        + "toolchain\n"

    static let exports: [Row<String, String>] = [
        Row(
            "no handler",
            """
            /build/a/export.swift:2:64: error: cannot find 'handler' in scope
            \(export)
            """,
            """
            handlers/a_wsh.swift:1:1: error: the file exports no handler: it needs \
            'public let handler = WebSocketHandler { … }'

            """),
        Row(
            "internal",
            """
            /build/a/export.swift:2:64: error: let 'handler' is internal and cannot be referenced \
            from an '@inlinable' function
            \(export)
            /site/handlers/a_wsh.swift:2:5: note: let 'handler' is not '@usableFromInline' or public
            let handler = WebSocketHandler { _ in }
                ^
            """,
            """
            handlers/a_wsh.swift:2:5: error: the file exports no handler: 'handler' is not public, \
            it needs 'public let handler'
            let handler = WebSocketHandler { _ in }
                ^

            """),
        Row(
            "private",
            """
            /build/a/export.swift:2:64: error: 'handler' is inaccessible due to 'private' \
            protection level
            \(export)
            /site/handlers/a_wsh.swift:2:13: note: 'handler' declared here
            private let handler = WebSocketHandler { _ in }
                        ^
            """,
            """
            handlers/a_wsh.swift:2:13: error: the file exports no handler: 'handler' is not \
            public, it needs 'public let handler'
            private let handler = WebSocketHandler { _ in }
                        ^

            """),
        Row(
            "a number",
            """
            /build/a/export.swift:2:64: error: cannot convert return expression of type 'Int' to \
            return type 'WebSocketHandler'
            \(export)
            """,
            """
            handlers/a_wsh.swift:1:1: error: the file exports no handler: 'handler' is of type \
            'Int', it needs 'public let handler = WebSocketHandler { … }'

            """),
        Row(
            "a function",
            """
            /build/a/export.swift:2:64: error: function produces expected type \
            'WebSocketHandler'; did you mean to call it with '()'?
            \(export)
            """,
            """
            handlers/a_wsh.swift:1:1: error: the file exports no handler: 'handler' is a function, \
            it needs 'public let handler = WebSocketHandler { … }'

            """),
        Row(
            "of the main actor",
            """
            /build/a/export.swift:2:64: error: main actor-isolated let 'handler' can not be \
            referenced from a nonisolated context
            \(export)
            /site/handlers/a_wsh.swift:2:23: note: let declared here
            @MainActor public let handler = WebSocketHandler { _ in }
                                  ^
            /build/a/export.swift:2:24: note: add '@MainActor' to make global function \
            'exportedHandler()' part of global actor 'MainActor'
            \(export)
            @MainActor
            """,
            """
            handlers/a_wsh.swift:2:23: error: the file exports no handler: 'handler' is isolated \
            to the main actor, where handlers do not run
            @MainActor public let handler = WebSocketHandler { _ in }
                                  ^

            """),
        Row(
            "another error, after which the handler was not found",
            """
            /site/handlers/a_wsh.swift:1:2: error: source control conflict marker in source file
            <<<<<<< HEAD
             ^
            /build/a/export.swift:2:64: error: cannot find 'handler' in scope
            \(export)
            """,
            """
            handlers/a_wsh.swift:1:2: error: source control conflict marker in source file
            <<<<<<< HEAD
             ^

            """),
        Row(
            "another error, and the handler is internal",
            """
            /site/handlers/a_wsh.swift:3:54: error: cannot find 'nope' in scope
            /build/a/export.swift:2:64: error: let 'handler' is internal and cannot be referenced \
            from an '@inlinable' function
            /site/handlers/a_wsh.swift:3:5: note: let 'handler' is not '@usableFromInline' or public
            """,
            """
            handlers/a_wsh.swift:3:54: error: cannot find 'nope' in scope
            handlers/a_wsh.swift:3:5: error: the file exports no handler: 'handler' is not public, \
            it needs 'public let handler'

            """),
    ]

    @Test("a file that exports no handler", arguments: exports)
    func exportsNone(_ row: Row<String, String>) { #expect(messages(row.input) == row.expected) }

    static let unexplained: [Row<String, String>] = [
        Row("nothing", "", "the compiler ended without a message"),
        Row("a warning", "", "the compiler ended without a message"),
        Row("a crash", "Stack dump:\n0.\tProgram arguments: x\n", "the compiler crashed"),
    ]

    @Test("a file that was not compiled has an error", arguments: unexplained)
    func hasError(_ row: Row<String, String>) {
        #expect(messages(row.input) == "handlers/a_wsh.swift:1:1: error: \(row.expected)\n")
        #expect(messages(row.input, isCompiled: true) == "")
    }

    @Test("a message without a place is about the file")
    func noPlace() {
        #expect(
            messages("<unknown>:0: error: missing required module 'X'\n")
                == "handlers/a_wsh.swift:1:1: error: missing required module 'X'\n")
    }

    @Test("a file whose messages name another place is named first")
    func sourceLocation() {
        let text = messages(
            "b_wsh.swift:1:14: error: x\n/site/handlers/c_wsh.swift:1:1: error: y\n")
        #expect(
            text == """
                handlers/a_wsh.swift:1:1: error: the file does not compile; the messages name \
                another place
                b_wsh.swift:1:14: error: x
                handlers/c_wsh.swift:1:1: error: y

                """)
    }

    @Test("the page that a hint names has that section")
    func page() throws {
        let root = URL(filePath: #filePath).deletingLastPathComponent()
            .deletingLastPathComponent().deletingLastPathComponent()
        let page = try String(
            contentsOf: root.appending(path: "docs/HANDLERS.md"), encoding: .utf8)
        #expect(page.contains("\n## State that connections share\n"))
    }

    @Test("warnings are kept")
    func warning() {
        let text = "3:16: warning: initialization of immutable value 'unused' was never used\n"
        #expect(
            messages("/site/handlers/a_wsh.swift:\(text)", isCompiled: true)
                == "handlers/a_wsh.swift:\(text)")
    }

    @Test("of very many messages errors come first")
    func errorsFirst() {
        let warnings = String(
            repeating: "/site/handlers/a_wsh.swift:1:1: warning: x\n", count: 40)
        let text = messages(warnings + "/site/handlers/a_wsh.swift:1:1: error: y\n")
        #expect(text.hasPrefix("handlers/a_wsh.swift:1:1: error: y\n"))
        #expect(text.hasSuffix("(11 more messages about this file)\n"))
    }

    @Test("of very many messages some")
    func limit() {
        let text = messages(
            String(repeating: "/site/handlers/a_wsh.swift:1:1: error: x\n", count: 10_000))
        #expect(text.utf8.count < 2_000)
        #expect(text.hasSuffix("(9970 more messages about this file)\n"))
    }

    /// The hint that stands below a message, with the file's source.
    static let hints: [Row<(message: String, source: String), String>] = [
        Row(
            "no import", ("cannot find 'WebSocketHandler' in scope", "public let handler = x"),
            "    hint: a handler file needs 'import WebSocketHost'\n"),
        Row(
            "no import, a type",
            ("cannot find type 'WebSocket' in scope", "import Foundation\n// import WebSocketHost"),
            "    hint: a handler file needs 'import WebSocketHost'\n"),
        Row(
            "another cause",
            ("cannot find type 'WebSocket' in scope", "\t@testable import  WebSocketHost;\r\n"), ""),
        Row("another name", ("cannot find 'sleep' in scope", ""), ""),
        Row(
            "a global variable",
            (
                "var 'count' is not concurrency-safe because it is nonisolated global shared "
                    + "mutable state [#MutableGlobalVariable]", ""
            ), sharedState),
        Row(
            "a static variable",
            (
                "static property 'n' is not concurrency-safe because it is nonisolated global "
                    + "shared mutable state [#MutableGlobalVariable]", ""
            ), sharedState),
        Row(
            "a captured variable",
            (
                "mutation of captured var 'n' in concurrently-executing code "
                    + "[#SendableClosureCaptures]", ""
            ), sharedState),
        Row("a package", ("no such module 'NIO'", ""), anyModule),
        Row(
            "another case", ("no such module 'websockethost'", ""),
            "    hint: the module's name is 'WebSocketHost'\n"),
        Row(
            "a neighbour", ("no such module 'good_wsh'", ""),
            "    hint: handler files do not import each other: what they share goes into a file "
                + "without _wsh, which is imported as 'Shared'\n"),
        Row(
            "no helper code", ("no such module 'Shared'", ""),
            "    hint: 'Shared' is the files of this directory without _wsh in their names; "
                + "there are none\n"),
        Row(
            "another encoding", ("invalid UTF-8 found in source file", ""),
            "    hint: save the file in UTF-8\n"),
        Row(
            "UTF-16 without a mark",
            ("expressions are not allowed at the top level", "i\0m\0p\0"),
            "    hint: save the file in UTF-8\n"),
        Row(
            "UTF-16", ("input files must be encoded as UTF-8 instead of UTF-16", ""),
            "    hint: save the file in UTF-8\n"),
    ]

    @Test("a hint below the message", arguments: hints)
    func hint(_ row: Row<(message: String, source: String), String>) {
        let compiler = "/site/handlers/a_wsh.swift:2:8: error: \(row.input.message)\n"
        #expect(
            messages(compiler, source: row.input.source)
                == "handlers/a_wsh.swift:2:8: error: \(row.input.message)\n\(row.expected)")
    }

    @Test("a hint stands once in a file, not below warnings")
    func hintOnce() {
        let line = "/site/handlers/a_wsh.swift:2:8: error: no such module 'NIO'\n"
        let text = messages(line + line)
        #expect(text.count(of: "hint:") == 1)
        let warning = messages(
            "/site/handlers/a_wsh.swift:2:8: warning: no such module 'NIO'\n", isCompiled: true)
        #expect(warning.count(of: "hint:") == 0)
    }

    @Test("UTF-16 is not quoted")
    func notQuoted() {
        let text = messages(
            "/site/handlers/a_wsh.swift:1:1: error: input files must be encoded as UTF-8 instead "
                + "of UTF-16\n\0i\0m\0p\0o\0r\0t\0\n")
        #expect(text.split(separator: "\n").count == 2)
    }

    @Test("only a missing module 'Shared' waits for helper code")
    func lacksHelperCode() {
        for (module, isLacking) in [("Shared", true), ("Sharedness", false), ("NIO", false)] {
            let found = CompilerMessages.ofHandler(
                "a_wsh.swift", source: [], export: "",
                output("/site/handlers/a_wsh.swift:1:8: error: no such module '\(module)'\n"),
                isCompiled: false)
            #expect(found.lacksHelperCode == isLacking)
        }
    }

    @Test("helper code: by file, sorted")
    func helperCode() {
        let found = CompilerMessages.ofHelperCode(
            output(
                """
                /site/handlers/z.swift:1:1: error: z
                /build/Shared/,util,text.swift:1:23: error: first
                /site/handlers/z.swift:1:1: note: of z? no, of the one before
                /build/Shared/,util,text.swift:2:1: warning: second
                """), isCompiled: false)
        #expect(found.map(\.path) == ["util/text.swift", "z.swift"])
        #expect(
            found[0].text(under: "") == """
                util/text.swift:1:23: error: first
                z.swift:1:1: note: of z? no, of the one before
                util/text.swift:2:1: warning: second

                """)
    }

    @Test("helper code that was not compiled has an error")
    func unexplainedHelperCode() {
        let found = CompilerMessages.ofHelperCode(output("Stack dump:\n"), isCompiled: false)
        #expect(
            found.map { $0.text(under: "x") } == [
                "helper code:1:1: error: the compiler crashed\n"
            ])
        #expect(CompilerMessages.ofHelperCode(output(""), isCompiled: true).isEmpty)
    }

    static let shortened: [Row<(text: String, root: String, directory: String), String>] = [
        Row("a relative one", ("/a/b/x:1\n  /a/b/x\n", "/a/b", "h"), "h/x:1\n  /a/b/x\n"),
        Row("a name that begins like it", ("/a/bc/x:1", "/a/b", "h"), "/a/bc/x:1"),
        Row("none", ("\n/a/b/x:1", "/a/b", ""), "\nx:1"),
        Row("the root directory", ("/x:1\n", "/", "/"), "/x:1\n"),
    ]

    @Test("the directory as the author typed it", arguments: shortened)
    func renamed(_ row: Row<(text: String, root: String, directory: String), String>) {
        #expect(
            FileMessages.shortened(row.input.text, root: row.input.root, to: row.input.directory)
                == row.expected)
    }

    @Test("'@main' in a handler")
    func mainAttribute() {
        let source = Array("// Text\r\nimport WebSocketHost\n@main struct X {}\n".utf8) + [0xE9]
        #expect(
            MainAttribute.error(inFile: "a", source: source).text(under: "")
                == "a:3:1: error: '@main' has no place in a handler file: "
                + "the server is the program\n"
        )
    }
}

extension String {
    /// How often `part` is in it.
    fileprivate func count(of part: String) -> Int { ranges(of: part).count }
}
