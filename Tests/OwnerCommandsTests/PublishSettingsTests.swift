import CommandLineOptions
import Testing

@testable import OwnerCommands

@Suite("The command line of publish")
struct PublishSettingsTests {
    private func read(
        _ words: String, _ variables: [String: String] = [:]
    ) throws(UsageError) -> PublishSettings {
        try PublishSettings.read(words.split(separator: " ").map(String.init)) { variables[$0] }
    }

    @Test func defaults() throws {
        let settings = try read("room")
        #expect(settings.topic == "room" && settings.place.port == 9_998 && !settings.isBinary)
        #expect(settings.place.runDirectory == nil && settings.messageByteLimit == 1 << 20)
        #expect(settings.timeout == .seconds(10))
    }

    @Test("options, also behind the name, and names that look like some")
    func options() throws {
        let settings = try read("-p 80 room --binary --run_directory=/r --max-message-size 2K")
        #expect(settings.topic == "room" && settings.place.port == 80 && settings.isBinary)
        #expect(settings.place.runDirectory == "/r" && settings.messageByteLimit == 2_048)
        #expect(try read("--timeout 0.5 -- -p").topic == "-p")
        #expect(try read("room --timeout 0.5").timeout == .milliseconds(500))
        #expect(try read("--help").showsHelp)
    }

    @Test("the variables of the server's options hold here too, below the command line")
    func environment() throws {
        let variables = [
            "WEBSOCKETHOST_PORT": "81", "WEBSOCKETHOST_RUN_DIRECTORY": "/v",
            "WEBSOCKETHOST_MAX_MESSAGE_SIZE": "5", "WEBSOCKETHOST_BINARY": "yes",
            "WEBSOCKETHOST_TIMEOUT": "1",
        ]
        let settings = try read("room -p 80", variables)
        #expect(settings.place.port == 80 && settings.place.runDirectory == "/v")
        #expect(settings.messageByteLimit == 5)
        #expect(!settings.isBinary && settings.timeout == .seconds(10))
        #expect(throws: UsageError.self) { try read("room", ["WEBSOCKETHOST_PORT": "0"]) }
    }

    @Test(
        "what is wrong",
        arguments: [
            "", "-p 80", "a b", "-p 0 a", "-p 65536 a", "-p x a", "a -p", "a --max-message-size 0",
            "a --timeout 0", "a --timeout x", "a --binary=yes", "a --run-directory=", "a -w x",
            "\u{FFFD}",
        ])
    func mistakes(_ words: String) {
        #expect(throws: UsageError.self) { try read(words) }
    }

    @Test("no empty name")
    func emptyName() {
        #expect(throws: UsageError.self) { try PublishSettings.read([""]) { _ in nil } }
    }
}
