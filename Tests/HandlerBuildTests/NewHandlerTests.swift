import CommandLineOptions
import HandlerBuild
import TestSupport
import Testing

@Suite("The command new")
struct NewHandlerTests {
    static let good: [Row<[String], (directory: String?, path: String)>] = [
        Row("a name", ["first"], (nil, "first_wsh.swift")),
        Row("a file's name", ["first_wsh.swift"], (nil, "first_wsh.swift")),
        Row("half of it", ["first_wsh"], (nil, "first_wsh.swift")),
        Row("another half", ["first.swift"], (nil, "first_wsh.swift")),
        Row("in folders", ["-w", "a b", "game/2-room"], ("a b", "game/2-room_wsh.swift")),
        Row("attached", ["-wfresh", "x"], ("fresh", "x_wsh.swift")),
        Row("behind", ["x", "--websock-handlers=fresh"], ("fresh", "x_wsh.swift")),
        Row("underscores", ["--websock_handlers", "fresh", "_"], ("fresh", "__wsh.swift")),
        Row("all hooks", ["--hooks", "all", "x"], (nil, "x_wsh.swift")),
        Row("one hook", ["--hooks=one", "x"], (nil, "x_wsh.swift")),
    ]

    @Test("arguments", arguments: good)
    func arguments(_ row: Row<[String], (directory: String?, path: String)>) throws {
        let new = try NewHandler(row.input, directory: nil)
        #expect(new.directory == row.expected.directory)
        #expect(new.path == row.expected.path)
    }

    static let bad: [Row<[String], (exitCode: Int32, part: String)>] = [
        Row("nothing", [], (2, "the name is missing")),
        Row("two names", ["a", "b"], (2, "one name at a time, not 'a' and 'b'")),
        Row("no directory", ["x", "-w"], (2, "-w needs a value")),
        Row("an empty directory", ["x", "-w", ""], (2, "-w needs a directory")),
        Row("hooks", ["--hooks", "most", "x"], (2, "--hooks is one or all, not 'most'")),
        Row("an option", ["--hook", "x"], (2, "unknown option --hook; did you mean --hooks?")),
        Row("a letter", ["-x"], (2, "unknown option -x")),
        Row("behind --", ["--", "-x"], (1, "'-x' is not a name")),
        Row("too long", [String(repeating: "x", count: 201)], (1, "is not a name")),
    ]

    @Test("wrong arguments", arguments: bad)
    func wrong(_ row: Row<[String], (exitCode: Int32, part: String)>) throws {
        let error = try #require(throws: UsageError.self) {
            try NewHandler(row.input, directory: nil)
        }
        #expect(error.exitCode == row.expected.exitCode)
        #expect(error.description.contains(row.expected.part), "\(error)")
    }

    @Test(
        "names that are refused",
        arguments: [
            "", "../up", "/etc/x", "a/../b", ".hidden", "a b", "a\"b", "a\nb", "a//b", "a/", "ä",
            "a$b", "a/-b", "_wsh", ".swift",
        ])
    func names(_ name: String) {
        #expect(throws: UsageError.self) { try NewHandler(["--", name], directory: nil) }
    }

    @Test("the environment names a directory, the arguments another one")
    func directory() throws {
        #expect(try NewHandler(["x"], directory: "here").directory == "here")
        #expect(try NewHandler(["x", "-w", "there"], directory: "here").directory == "there")
    }

    @Test("the route stands in the file")
    func text() throws {
        for hooks in ["one", "all"] {
            let text = try NewHandler(["--hooks", hooks, "game/room"], directory: nil).text
            #expect(
                text.hasPrefix(
                    "import WebSocketHost\n\n/// Answers at ws://localhost:9998/game/room"))
            #expect(text.contains("\npublic let handler = WebSocketHandler"))
            #expect(text.contains("doExtraHandshake") == (hooks == "all"))
            #expect(text.contains("\\(") && text.hasSuffix("\n"))
        }
    }

    @Test("what is reported")
    func report() throws {
        let new = try NewHandler(["-w", "it's", "chat"], directory: nil)
        let text = new.report(file: "it's/chat_wsh.swift", program: "./standalone.sh")
        #expect(text.hasPrefix("wrote it's/chat_wsh.swift\n"))
        #expect(text.contains("\nTry it: ./standalone.sh -w 'it'\\''s' --watch\n"))
        let plain = try NewHandler(["chat"], directory: nil)
        #expect(plain.report(file: "x", program: "x").contains("\nTry it: x --watch\n"))
    }

    static let words: [(String, String)] = [
        ("a/b-c_d.e", "a/b-c_d.e"), ("ümlaut", "ümlaut"), ("", "''"), ("a b", "'a b'"),
        ("$(x)", "'$(x)'"), ("'", "''\\'''"), ("a\nb", "'a\nb'"), ("*", "'*'"), ("~", "'~'"),
    ]

    @Test("words for a shell", arguments: words)
    func shell(_ text: String, _ quoted: String) { #expect(text.shellQuoted == quoted) }
}
