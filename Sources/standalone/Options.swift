import WebSocketHost
import WebSocketProtocol

/// One option of the command line.
struct Option: Sendable {
    /// Without the dashes; `_` may be written for each `-` too.
    let name: String
    var letter: Character?
    /// What stands for the value in the help; `nil`: the option takes none.
    var value: String?
    let help: String
    /// Takes the value (empty for a flag) and the option as it was spelt.
    let apply: @Sendable (inout Settings, String, String) throws(UsageError) -> Void
}

/// The command line: what there is, how it is read, how it is explained.
enum Options {
    private static let defaults = Configuration()

    static let groups: [(title: String, options: [Option])] = [
        ("Where to listen", listening), ("Handlers", handlers), ("Limits", limits),
        ("Compression (permessage-deflate)", compression), ("Waits, in seconds", waits),
        ("Log and information", information),
    ]

    private static let listening: [Option] = [
        Option(
            name: "port", letter: "p", value: "PORT",
            help: "default \(defaults.port); 0: any free one"
        ) { settings, text, option throws(UsageError) in
            settings.configuration.port = UInt16(
                clamping: try Values.integer(text, 0...65_535, option))
        },
        Option(
            name: "server-host", letter: "H", value: "HOST",
            help: "name or address; default \(defaults.host), both loopback addresses; "
                + "'*': every address of this machine"
        ) { settings, text, _ in settings.configuration.host = text },
        Option(
            name: "queue", letter: "q", value: "COUNT",
            help: "connections that may wait to be accepted, default \(defaults.backlog)"
        ) { settings, text, option throws(UsageError) in
            settings.configuration.backlog = try Values.integer(text, 1...65_535, option)
        },
        Option(
            name: "threads", value: "COUNT", help: "event loops; default: one per processor"
        ) { settings, text, option throws(UsageError) in
            settings.configuration.threadCount = try Values.integer(text, 1...256, option)
        },
    ]

    private static let handlers: [Option] = [
        Option(
            name: "websock-handlers", letter: "w", value: "DIR",
            help: "the directory whose files ending in _wsh.swift are compiled in by standalone.sh; "
                + "default: handlers beside standalone.sh"
        ) { settings, text, _ in settings.handlersDirectory = text },
        Option(
            name: "scan-dir", letter: "s", value: "DIR",
            help: "look for handlers only here, inside -w (standalone.sh)"
        ) { _, _, _ in },
        Option(
            name: "websock-handlers-map-file", letter: "m", value: "FILE",
            help: "more paths for handlers, a line each: '/alias /existing'"
        ) { settings, text, _ in settings.mapFile = text },
        Option(
            name: "allow-handlers-outside-root-dir",
            help: "follow links to files outside of -w (standalone.sh)"
        ) { _, _, _ in },
        Option(name: "strict", help: "do not start if a handler does not compile (exit code 4)") {
            settings, _, _ in settings.isStrict = true
        },
        Option(
            name: "origin", value: "LIST",
            help: "which pages may connect: 'any' (default), 'same' host and port, or origins "
                + "separated by commas; others get 403"
        ) { settings, text, option throws(UsageError) in
            settings.configuration.allowedOrigins = try Values.origins(text, option)
        },
    ]

    private static let limits: [Option] = [
        byteLimit("max-message-size", \.connection.messageByteLimit, 1, "longest message; over it: close 1009"),
        byteLimit("max-head-size", \.headByteLimit, 64, "longest request head; over it: 431"),
        byteLimit(
            "max-queue-size", \.connection.sendQueueByteLimit, 1,
            "most that may wait for one client; over it send throws"),
        byteLimit(
            "max-receive-queue-size", \.connection.receiveQueueByteLimit, 1,
            "most that is read ahead of a busy handler; then the client waits"),
        Option(
            name: "max-connections", value: "COUNT",
            help: "open connections in all, default \(defaults.connectionLimit); more get 503"
        ) { settings, text, option throws(UsageError) in
            settings.configuration.connectionLimit = try Values.integer(
                text, 1...10_000_000, option)
        },
    ]

    private static let compression: [Option] = [
        Option(
            name: "compression", value: "MODE",
            help: "shared (default): no context is kept between messages, so a connection costs no "
                + "memory for it; dedicated: better ratio, up to 300 KiB each; off"
        ) { settings, text, option throws(UsageError) in
            settings.configuration.connection.compression.mode = try Values.compressionMode(
                text, option)
        },
        Option(
            name: "compression-threshold", value: "BYTES",
            help: "shorter messages go out as they are, default "
                + "\(defaults.connection.compression.thresholdByteCount)"
        ) { settings, text, option throws(UsageError) in
            settings.configuration.connection.compression.thresholdByteCount = try Values.bytes(
                text, atLeast: 0, option)
        },
        count(
            "compression-level", \.connection.compression.level, 1...9,
            "1: fastest, 9: smallest"),
        count(
            "compression-window-bits", \.connection.compression.windowBits, 9...15,
            "dedicated: the context kept is at most 2 to this power bytes"),
        count(
            "compression-memory-level", \.connection.compression.memoryLevel, 1...9,
            "dedicated: zlib's, more is faster and smaller"),
        wait(
            "compression-idle-timeout", \.connection.compressionIdleTimeout,
            "dedicated: until an idle connection's memory is given back"),
    ]

    private static let waits: [Option] = [
        wait("handshake-timeout", \.handshakeTimeout, "for a request head to come"),
        wait(
            "ping-interval", \.connection.pingInterval, isZeroAllowed: true,
            "without a byte from a client before it gets a Ping; 0: never"),
        wait("ping-timeout", \.connection.pingTimeout, "for a sign of life after that Ping"),
        wait("close-timeout", \.connection.closeTimeout, "for the answer to a Close"),
        wait(
            "drain-timeout", \.drainTimeout,
            "after SIGTERM or SIGINT until connections are dropped"),
    ]

    private static let information: [Option] = [
        Option(
            name: "log-file", letter: "l", value: "FILE", help: "append the log here, not to stderr"
        ) { settings, text, _ in settings.logFile = text },
        Option(
            name: "log-level", value: "LEVEL",
            help: "fine (every frame), debug, info (default), warning, error or critical"
        ) { settings, text, option throws(UsageError) in
            settings.logLevel = try Values.logLevel(text, option)
        },
        Option(name: "list-routes", help: "print the routes and end") {
            settings, _, _ in settings.listsRoutes = true
        },
        Option(name: "version", help: "print the version and end") {
            settings, _, _ in settings.showsVersion = true
        },
        Option(name: "help", letter: "h", help: "print this and end") {
            settings, _, _ in settings.showsHelp = true
        },
    ]

    private static func byteLimit(
        _ name: String, _ path: WritableKeyPath<Configuration, Int> & Sendable, _ minimum: Int,
        _ help: String
    ) -> Option {
        Option(
            name: name, value: "BYTES", help: "\(help), default \(defaults[keyPath: path])"
        ) { settings, text, option throws(UsageError) in
            settings.configuration[keyPath: path] = try Values.bytes(
                text, atLeast: minimum, option)
        }
    }

    private static func count(
        _ name: String, _ path: WritableKeyPath<Configuration, Int> & Sendable,
        _ range: ClosedRange<Int>, _ help: String
    ) -> Option {
        Option(
            name: name, value: "COUNT", help: "\(help), default \(defaults[keyPath: path])"
        ) { settings, text, option throws(UsageError) in
            settings.configuration[keyPath: path] = try Values.integer(text, range, option)
        }
    }

    private static func wait(
        _ name: String, _ path: WritableKeyPath<Configuration, Duration> & Sendable,
        isZeroAllowed: Bool = false, _ help: String
    ) -> Option {
        Option(
            name: name, value: "SECONDS",
            help: "\(help), default \(defaults[keyPath: path].components.seconds)"
        ) { settings, text, option throws(UsageError) in
            settings.configuration[keyPath: path] = try Values.seconds(
                text, isZeroAllowed: isZeroAllowed, option)
        }
    }
}

// MARK: - Reading

extension Options {
    /// Reads the arguments after the program's name.
    static func parse(_ arguments: [String]) throws(UsageError) -> Settings {
        var settings = Settings()
        var rest = arguments[...]
        while let argument = rest.popFirst() {
            let (option, spelling, attached) = try find(argument)
            var value = attached ?? ""
            if option.value != nil, attached == nil {
                guard let next = rest.popFirst() else {
                    throw UsageError("\(spelling) needs a value: \(spelling) \(option.value ?? "")")
                }
                value = next
            } else if option.value == nil, attached != nil {
                throw UsageError("\(spelling) takes no value")
            }
            try option.apply(&settings, value, spelling)
        }
        return settings
    }

    /// The option that an argument names, how it is spelt, and a value attached by `=` or directly.
    private static func find(
        _ argument: String
    ) throws(UsageError) -> (Option, spelling: String, attached: String?) {
        let all = groups.flatMap(\.options)
        if argument.hasPrefix("--") {
            let parts = argument.dropFirst(2).split(
                separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            let spelling = parts.first.map(String.init) ?? ""
            let name = String(spelling.map { $0 == "_" ? "-" : $0 })
            if let option = all.first(where: { $0.name == name }) {
                return (option, "--\(spelling)", parts.count == 2 ? String(parts[1]) : nil)
            }
            throw unknown(argument: "--\(spelling)", name)
        }
        guard argument.hasPrefix("-"), let letter = argument.dropFirst().first else {
            throw UsageError("'\(escaped(argument))' is no option; options begin with -")
        }
        guard let option = all.first(where: { $0.letter == letter }) else {
            throw unknown(argument: argument, String(argument.dropFirst()))
        }
        let attached = argument.dropFirst(2)
        return (option, "-\(letter)", attached.isEmpty ? nil : String(attached))
    }

    private static func unknown(argument: String, _ name: String) -> UsageError {
        let names = groups.flatMap(\.options).map(\.name)
        let nearest = names.min { distance($0, name) < distance($1, name) }
        var text = "unknown option \(escaped(argument))"
        if let nearest, distance(nearest, name) <= max(2, name.count / 3) {
            text += "; did you mean --\(nearest)?"
        }
        return UsageError(text)
    }

    /// Edits of one character between two words (Levenshtein).
    static func distance(_ a: String, _ b: String) -> Int {
        let b = Array(b.prefix(64))
        var row = Array(0...b.count)
        for (i, character) in a.enumerated() {
            var diagonal = row[0]
            row[0] = i + 1
            for (j, other) in b.enumerated() {
                let change = diagonal + (character == other ? 0 : 1)
                diagonal = row[j + 1]
                row[j + 1] = min(change, row[j] + 1, row[j + 1] + 1)
            }
        }
        return row[b.count]
    }
}

// MARK: - Explaining

extension Options {
    static let shortUsage = """
        usage: ./standalone.sh [-p PORT] [-w HANDLERS_DIR] [options]
               ./standalone.sh --help explains all options
        """

    static var help: String {
        var text = """
            WebSocketHost: serves a directory of WebSocket handlers. handlers/echo_wsh.swift answers
            ws://localhost:\(defaults.port)/echo.

            usage: ./standalone.sh [-p PORT] [-w HANDLERS_DIR] [options]

            """
        for group in groups {
            text += "\n\(group.title)\n"
            for option in group.options { text += entry(option) }
        }
        text += """

            Sizes take K, M and G. Every option may be written with _ for - and its value after =.
            Exit codes: 0 stopped as asked, 1 cannot start or was forced to stop, 2 wrong arguments,
            3 cannot listen, 4 --strict and a handler does not compile.
            """
        return text
    }

    private static func entry(_ option: Option) -> String {
        let letter = option.letter.map { "-\($0), " } ?? "    "
        let head = "  \(letter)--\(option.name)\(option.value.map { " \($0)" } ?? "")"
        let column = 38
        var lines = [""]
        for word in option.help.split(separator: " ") {
            if lines[lines.count - 1].count + word.count > 60 { lines.append("") }
            lines[lines.count - 1] += (lines[lines.count - 1].isEmpty ? "" : " ") + word
        }
        let indent = String(repeating: " ", count: column)
        let body = lines.joined(separator: "\n" + indent)
        let isLong = head.count > column - 2
        let gap = isLong ? "\n" + indent : String(repeating: " ", count: column - head.count)
        return head + gap + body + "\n"
    }
}
