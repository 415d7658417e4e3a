import Foundation
import Testing

@testable import StandaloneProgram

@Suite("help.txt, which standalone.sh prints before anything is built")
struct HelpTextTests {
    private static let file = URL(filePath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        .appending(path: "Sources/StandaloneProgram/help.txt")

    /// After a change of an option, `UPDATE_HELP=yes swift test --filter HelpTextTests` writes the
    /// file anew.
    @Test("it is what the options say")
    func file() throws {
        let text = ServerOptions.help + "\n"
        if ProcessInfo.processInfo.environment["UPDATE_HELP"] == "yes" {
            try text.write(to: Self.file, atomically: true, encoding: .utf8)
        }
        #expect(
            try String(contentsOf: Self.file, encoding: .utf8) == text,
            "UPDATE_HELP=yes swift test --filter HelpTextTests")
    }

    @Test("commands stand before options, lines fit a terminal")
    func order() throws {
        let commands = try #require(ServerOptions.help.range(of: "  new "))
        let options = try #require(ServerOptions.help.range(of: "  -p, --port"))
        #expect(commands.lowerBound < options.lowerBound)
        for line in ServerOptions.help.split(separator: "\n") {
            #expect(line.count <= 100, "\(line)")
        }
    }

    @Test("a built program has no commands and its own name")
    func builtProgram() {
        let text = ServerOptions.help(ofProgram: "./chat")
        #expect(text.contains("usage: ./chat ") && text.contains("  -p, --port"))
        #expect(!text.contains("./standalone.sh"))
    }
}
