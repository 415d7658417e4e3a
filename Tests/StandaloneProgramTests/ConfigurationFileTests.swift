import CommandLineOptions
import Testing
import WebSocketHost

@testable import StandaloneProgram

@Suite("Configuration files")
struct ConfigurationFileTests {
    typealias Entry = ConfigurationFile.Entry

    static let good: [(name: String, text: String, entries: [Entry])] = [
        ("empty", "", []),
        ("comments only", "# one\n; two\n\n   # three\n", []),
        (
            "the reference's", "[pywebsocket]\nport = 8880\nlog_level: debug\n",
            [
                .init(key: "port", value: "8880", lineNumber: 2),
                .init(key: "log_level", value: "debug", lineNumber: 3),
            ]
        ),
        ("ours", "[websockethost]\nport=1", [.init(key: "port", value: "1", lineNumber: 2)]),
        (
            "both sections", "[websockethost]\nport=1\n[pywebsocket]\nqueue=2\n",
            [
                .init(key: "port", value: "1", lineNumber: 2),
                .init(key: "queue", value: "2", lineNumber: 4),
            ]
        ),
        (
            "byte order mark", "\u{FEFF}[pywebsocket]\nport=1",
            [.init(key: "port", value: "1", lineNumber: 2)]
        ),
        (
            "CR LF", "[pywebsocket]\r\nport = 1\r\n\r\nqueue = 2\r\n",
            [
                .init(key: "port", value: "1", lineNumber: 2),
                .init(key: "queue", value: "2", lineNumber: 4),
            ]
        ),
        (
            "space around", "[ pywebsocket ]\n  port \t=  1 \t\n",
            [.init(key: "port", value: "1", lineNumber: 2)]
        ),
        (
            "separators in the value", "[pywebsocket]\norigin = https://a:1=2\n",
            [.init(key: "origin", value: "https://a:1=2", lineNumber: 2)]
        ),
        (
            "comment signs in the value", "[pywebsocket]\nlog_file = a #1;2\n",
            [.init(key: "log_file", value: "a #1;2", lineNumber: 2)]
        ),
        (
            "empty value", "[pywebsocket]\nlog_file =\n",
            [.init(key: "log_file", value: "", lineNumber: 2)]
        ),
        (
            "percent signs", "[pywebsocket]\nlog_file = 100%\n",
            [.init(key: "log_file", value: "100%", lineNumber: 2)]
        ),
        (
            "indented alike", "[pywebsocket]\n  port = 1\n  queue = 2\nthreads = 3\n",
            [
                .init(key: "port", value: "1", lineNumber: 2),
                .init(key: "queue", value: "2", lineNumber: 3),
                .init(key: "threads", value: "3", lineNumber: 4),
            ]
        ),
        ("no line end", "[pywebsocket]", []),
    ]

    @Test("are taken apart", arguments: good)
    func parse(_ name: String, _ text: String, _ entries: [Entry]) throws {
        #expect(try ConfigurationFile.parse(text, path: "a.ini") == entries, "\(name)")
    }

    static let bad: [(name: String, text: String, message: String)] = [
        ("no section", "port = 1", "a.ini:1: no section before this line"),
        (
            "another section", "\n[server]\n",
            "a.ini:2: unknown section [server]: use [websockethost]"
        ),
        ("the DEFAULT section", "[DEFAULT]\n", "unknown section [DEFAULT]"),
        ("no bracket", "[pywebsocket\n", "no ] in '[pywebsocket'"),
        (
            "no separator", "[pywebsocket]\ntls\n",
            "a.ini:2: expected 'name = value', found 'tls'; a flag needs true or false"
        ),
        ("no key", "[pywebsocket]\n= 3\n", "expected 'name = value'"),
        (
            "a value that goes on", "[pywebsocket]\norigin = a,\n  b = c\n",
            "a.ini:3: is indented more than the line before"
        ),
        (
            "a key twice", "[pywebsocket]\nport = 1\n\nPORT = 1\n",
            "a.ini:4: PORT was already given in line 2"
        ),
        (
            "both spellings", "[pywebsocket]\nlog_max = 1\n[websockethost]\nlog-max = 1\n",
            "a.ini:4: log-max was already given in line 2"
        ),
        ("interpolation", "[pywebsocket]\nlog_file = %(home)s/log\n", "%(…)s is not supported"),
        ("control characters", "[pywebsocket]\n\u{1B}[31m\n", "'\\u{1B}[31m'"),
    ]

    @Test("that are wrong say where", arguments: bad)
    func fail(_ name: String, _ text: String, _ message: String) {
        do throws(UsageError) {
            _ = try ConfigurationFile.parse(text, path: "a.ini")
            Issue.record("\(name) was taken")
        } catch {
            #expect(error.description.contains(message), "\(name): \(error)")
            #expect(!error.description.contains("\n"))
        }
    }

    @Test("no cut of a file traps")
    func cuts() {
        for row in Self.good.map(\.text) + Self.bad.map(\.text) {
            let scalars = Array(row.unicodeScalars)
            for end in 0...scalars.count {
                var text = String.UnicodeScalarView()
                text.append(contentsOf: scalars[..<end])
                if let entries = try? ConfigurationFile.parse(String(text), path: "a") {
                    #expect(entries.count <= scalars.filter { $0 == "\n" }.count + 1)
                }
            }
        }
    }
}
