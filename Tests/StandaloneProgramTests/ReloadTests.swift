import CommandLineOptions
import Foundation
import HandlerBuild
import Testing
import WebSocketHost

@testable import StandaloneProgram

@Suite("What a reload takes")
struct ReloadTests {
    private func read(
        _ file: String, _ arguments: [String] = [], startedWith start: Invocation? = nil
    ) throws -> Invocation {
        var environment: [String: String] = [:]
        if let start {
            let entry = StartOptions.entry(start).split(separator: "=", maxSplits: 1)
            environment[String(entry[0])] = entry.count == 2 ? String(entry[1]) : ""
        }
        return try StandaloneProgramTests.read(
            arguments + ["--config", "a.ini"], environment: environment,
            files: ["a.ini": "[websockethost]\n" + file])
    }

    @Test("a server process has the values of the start where the supervisor has used them")
    func fixing() throws {
        let start = try read(
            "port = 1\nlog_file = a\\b\\nc\nwatch = yes\nmax_connections = 5\nqueue = 7"
        )
        let now = try read(
            "port = 2\nmax_connections = 6\nstrict = yes\nmax_old_generations = 9\nwatch = no",
            startedWith: start)
        #expect(now.settings.configuration.port == 1)
        #expect(now.settings.configuration.backlog == 7)
        #expect(now.settings.logFile == "a\\b\\nc")
        #expect(now.settings.supervision.watches)
        // One that was not given then has its default.
        #expect(
            now.settings.supervision.oldGenerationLimit
                == SupervisionOptions().oldGenerationLimit)
        #expect(now.settings.configuration.connectionLimit == 6)
        #expect(now.settings.handlers.isStrict)
    }

    private static let changes: [(before: String, after: String, names: [String])] = [
        ("", "", []), ("port = 1", "port = 1", []), ("port = 1", "port = 2", ["--port"]),
        ("", "port = 9998", []), ("port = 9998", "", []), ("port = 1", "", ["--port"]),
        ("", "watch = no", []), ("", "watch = yes", ["--watch"]),
        ("max_connections = 1", "max_connections = 2\nstrict = yes", []),
        (
            "", "queue = 1\nport = 1\nadmin_listen = localhost:1\nlog_file = x",
            ["--port", "--queue", "--admin-listen", "--log-file"]
        ),
    ]

    @Test("what has changed and waits for a new start is named", arguments: changes)
    func naming(_ before: String, _ after: String, _ names: [String]) throws {
        #expect(StartOptions.changes(from: try read(before), to: try read(after)) == names)
    }

    @Test("the command line is stronger than the file, at a reload too")
    func strength() throws {
        let start = try read("port = 1", ["-p", "3"])
        let now = try read("port = 2", ["-p", "3"])
        #expect(StartOptions.changes(from: start, to: now) == [])
    }

    @Test("each name is an option, and docs/CONFIGURATION.md has the same ones")
    func documented() throws {
        for name in StartOptions.names { #expect(ServerOptions.named(name)?.name == name) }
        let page = URL(filePath: #filePath).deletingLastPathComponent()
            .appending(path: "../../docs/CONFIGURATION.md")
        let text = try String(contentsOf: page, encoding: .utf8)
        let section = try #require(text.components(separatedBy: "\n## Reload\n").last)
        let list = try #require(
            section.components(separatedBy: "\n\n").first {
                $0.hasPrefix("- `--") || $0.hasPrefix("`--")
            })
        let named = list.matches(of: /`--([a-z-]+)`/).map { String($0.1) }
        #expect(Set(named) == StartOptions.names)
        #expect(named.count == StartOptions.names.count)
    }
}
