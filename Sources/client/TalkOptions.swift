import CommandLineOptions
import WebSocketClient
import WebSocketProtocol

// What is said and shown once the connection is open.
extension Options {
    static let script: [Option] = [
        Option(
            name: "message", letter: "m", value: "LIST",
            help: "texts separated by commas; each waits for the answer to the one before"
        ) { settings, text, _ in
            settings.script.exchanges += text.split(
                separator: ",", omittingEmptySubsequences: false
            )
            .map(String.init)
        },
        Option(
            name: "send", value: "TEXT", help: "may be given several times, as may the next three"
        ) {
            settings, text, _ in settings.script.messages.append(.text(text))
        },
        Option(name: "send-hex", value: "HEX", help: "a binary message: 00ff 0a") {
            settings, text, option throws(UsageError) in
            settings.script.messages.append(.binary(try bytes(text, option)))
        },
        Option(
            name: "expect", value: "TEXT",
            help: "what has to come, exactly and in this order; something else is exit code 5"
        ) { settings, text, _ in settings.script.expected.append(.text(text)) },
        Option(name: "expect-hex", value: "HEX", help: "the same for a binary message") {
            settings, text, option throws(UsageError) in
            settings.script.expected.append(.binary(try bytes(text, option)))
        },
        Option(
            name: "receive", value: "COUNT",
            help:
                "how many messages to wait for; default: those of --expect, or one for each --send"
        ) { settings, text, option throws(UsageError) in
            settings.script.receiveCount = try Values.integer(text, 0...1_000_000_000, option)
        },
        Option(name: "ping", help: "send a Ping first, and print how long its Pong took") {
            settings, _, _ in settings.script.pings = true
        },
        timeout(
            "timeout", letter: "k", "to connect; and once more for all of the one shot, default 10"),
        timeout("socket-timeout", "the same, for pywebsocket3's command lines"),
    ]

    static let output: [Option] = [
        Option(name: "hex", help: "print the bytes of binary messages, not only their number") {
            settings, _, _ in settings.showsHexadecimal = true
        },
        Option(
            name: "json",
            help: "print one JSON object per event: open, text, binary, pong, close, error"
        ) {
            settings, _, _ in settings.printsJSON = true
        },
        Option(name: "quiet", letter: "q", help: "print nothing but what goes wrong") {
            settings, _, _ in settings.isQuiet = true
        },
        Option(
            name: "linger", value: "SECONDS",
            help:
                "at the end of the input: close once nothing has come for so long, or after "
                + "--timeout; "
                + "default 0 at a terminal, else 0.5"
        ) { settings, text, option throws(UsageError) in
            settings.linger = try Values.seconds(text, isZeroAllowed: true, option)
        },
        Option(
            name: "max-line-size", value: "BYTES",
            help: "longest line of the input; over it: close, exit code 2, default "
                + "\(Settings().lineByteLimit)"
        ) { settings, text, option throws(UsageError) in
            settings.lineByteLimit = try Values.bytes(text, atLeast: 1, option)
        },
    ]

    static let others: [Option] = [
        Option(
            name: "compression", value: "MODE",
            help:
                "shared (default) or dedicated: offer permessage-deflate, without or with "
                + "memory of earlier messages; off"
        ) { settings, text, option throws(UsageError) in
            settings.configuration.connection.compression.mode = try Values.compressionMode(
                text, option)
        },
        Option(
            name: "use-permessage-deflate",
            help:
                "for pywebsocket3's command lines: it is offered anyway, here with memory "
                + "(dedicated)"
        ) { settings, _, _ in settings.configuration.connection.compression.mode = .dedicated },
        Option(
            name: "max-message-size", value: "BYTES",
            help: "longest message; over it: close 1009, default "
                + "\(Settings().configuration.connection.messageByteLimit)"
        ) { settings, text, option throws(UsageError) in
            settings.configuration.connection.messageByteLimit = try Values.bytes(
                text, atLeast: 1, option)
        },
        Option(
            name: "log-level", value: "LEVEL", help: "to stderr; fine: every frame; default error"
        ) {
            settings, text, option throws(UsageError) in
            settings.logLevel = try Values.logLevel(text, option)
        },
        Option(name: "help", letter: "h", help: "print this and end") {
            settings, _, _ in settings.showsHelp = true
        }.scoped(.commandLineOnly),
        Option(name: "version", help: "print the version and end") {
            settings, _, _ in settings.showsVersion = true
        }.scoped(.commandLineOnly),
    ]

    private static func timeout(_ name: String, letter: Character? = nil, _ help: String) -> Option
    {
        Option(name: name, letter: letter, value: "SECONDS", help: help) {
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

/// The value of `--header`.
enum HeaderLine {
    /// What the handshake itself writes (RFC 6455 §4.1), and what to give instead.
    private static let owned = [
        "host": "it is the URL's", "upgrade": "", "connection": "", "content-length": "",
        "transfer-encoding": "", "origin": "use --origin", "sec-websocket-key": "",
        "sec-websocket-version": "",
        "sec-websocket-protocol": "use --subprotocol",
        "sec-websocket-extensions": "use --compression",
    ]

    static func parse(_ line: String, _ option: String) throws(UsageError) -> (
        name: String, value: String
    ) {
        guard let colon = line.firstIndex(of: ":"), colon != line.startIndex else {
            throw UsageError("\(option): '\(escaped(line))' is not 'Name: value'")
        }
        let name = String(line[..<colon])
        if let hint = owned[name.lowercased()] {
            throw UsageError(
                "\(option): \(name) belongs to the handshake\(hint.isEmpty ? "" : ": \(hint)")")
        }
        return (name, String(line[line.index(after: colon)...]))
    }
}
