import CommandLineOptions
import WebSocketClient
import WebSocketProtocol

// The options about messages and output.
extension ClientOptions {
    static let script: [ClientOption] = [
        ClientOption(
            name: "message", letter: "m", value: "LIST",
            help: "texts separated by commas; each waits for the answer to the one before"
        ) { settings, text, _ in
            settings.script.exchanges += text.split(
                separator: ",", omittingEmptySubsequences: false
            )
            .map(String.init)
        },
        ClientOption(
            name: "send", value: "TEXT",
            help: "a text message; may be repeated, like the next three"
        ) {
            settings, text, _ in settings.script.messages.append(.text(text))
        },
        ClientOption(name: "send-hex", value: "HEX", help: "a binary message: 00ff 0a") {
            settings, text, option throws(UsageError) in
            settings.script.messages.append(.binary(try bytes(text, option)))
        },
        ClientOption(
            name: "expect", value: "TEXT",
            help: "the text message that must arrive next; another one ends with exit code 5"
        ) { settings, text, _ in settings.script.expected.append(.text(text)) },
        ClientOption(name: "expect-hex", value: "HEX", help: "the same for a binary message") {
            settings, text, option throws(UsageError) in
            settings.script.expected.append(.binary(try bytes(text, option)))
        },
        ClientOption(
            name: "receive", value: "COUNT",
            help:
                "how many messages to wait for; default: those of --expect, or one per --send"
        ) { settings, text, option throws(UsageError) in
            settings.script.receiveCount = try Values.integer(text, 0...1_000_000_000, option)
        },
        ClientOption(name: "ping", help: "send a Ping first, and print how long its Pong took") {
            settings, _, _ in settings.script.pings = true
        },
        timeout(
            "timeout", letter: "k", "to connect, and again for the whole one shot; default 10"),
        timeout("socket-timeout", "the same as --timeout, for pywebsocket3's command lines"),
    ]

    static let output: [ClientOption] = [
        ClientOption(name: "hex", help: "print the bytes of binary messages, not only their number")
        {
            settings, _, _ in settings.showsHexadecimal = true
        },
        ClientOption(
            name: "json",
            help: "print one JSON object per event: open, text, binary, pong, close, error"
        ) {
            settings, _, _ in settings.printsJSON = true
        },
        ClientOption(name: "quiet", letter: "q", help: "print errors only") {
            settings, _, _ in settings.isQuiet = true
        },
        ClientOption(
            name: "linger", value: "SECONDS",
            help:
                "after the end of the input, close when nothing has arrived for this long, or "
                + "after --timeout; default 0 at a terminal, else 0.5"
        ) { settings, text, option throws(UsageError) in
            settings.linger = try Values.seconds(text, isZeroAllowed: true, option)
        },
        ClientOption(
            name: "max-line-size", value: "BYTES",
            help: "longest line of the input; a longer one ends with exit code 2, default "
                + "\(ClientSettings().lineByteLimit)"
        ) { settings, text, option throws(UsageError) in
            settings.lineByteLimit = try Values.bytes(text, atLeast: 1, option)
        },
    ]

    static let others: [ClientOption] = [
        ClientOption(
            name: "compression", value: "MODE",
            help:
                "shared (default) or dedicated: offer permessage-deflate, without or with "
                + "memory of earlier messages; off"
        ) { settings, text, option throws(UsageError) in
            settings.configuration.connection.compression.mode = try Values.compressionMode(
                text, option)
        },
        ClientOption(
            name: "use-permessage-deflate",
            help:
                "the same as --compression dedicated, for pywebsocket3's command lines"
        ) { settings, _, _ in settings.configuration.connection.compression.mode = .dedicated },
        ClientOption(
            name: "max-message-size", value: "BYTES",
            help: "longest message; a longer one gets close 1009, default "
                + "\(ClientSettings().configuration.connection.messageByteLimit)"
        ) { settings, text, option throws(UsageError) in
            settings.configuration.connection.messageByteLimit = try Values.bytes(
                text, atLeast: 1, option)
        },
        ClientOption(
            name: "log-level", value: "LEVEL",
            help: "the log on stderr; fine: every frame; default error"
        ) {
            settings, text, option throws(UsageError) in
            settings.logLevel = try Values.logLevel(text, option)
        },
        ClientOption(name: "help", letter: "h", help: "print this help and exit") {
            settings, _, _ in settings.showsHelp = true
        }.scoped(.commandLineOnly),
        ClientOption(name: "version", help: "print the version and exit") {
            settings, _, _ in settings.showsVersion = true
        }.scoped(.commandLineOnly),
    ]

    private static func timeout(_ name: String, letter: Character? = nil, _ help: String)
        -> ClientOption
    {
        ClientOption(name: name, letter: letter, value: "SECONDS", help: help) {
            settings, text, option throws(UsageError) in
            settings.timeout = try Values.seconds(text, option)
        }
    }

    private static func bytes(_ text: String, _ option: String) throws(UsageError) -> [UInt8] {
        guard let bytes = Hexadecimal.bytes(text) else {
            throw UsageError("\(option): '\(escaped(text))' is not \(Hexadecimal.form)")
        }
        return bytes
    }
}
