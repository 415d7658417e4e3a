import CommandLineOptions
import WebSocketHost

typealias ServerOption = Option<ServerSettings>

extension ServerOption {
    /// `WEBSOCKETHOST_MAX_MESSAGE_SIZE`.
    var variable: String { Environment.prefix + key.uppercased() }
}

/// All options, in the order in which the help explains them. The groups are in files of their own.
enum ServerOptions {
    static let defaults = Configuration()

    static let table = OptionTable<ServerSettings>([
        ("Where to listen", listening), ("Behind a proxy", proxies),
        ("TLS", TLSOptions.options),
        ("Handlers", handlers), ("Programs in the handlers directory", ProgramOptions.all),
        ("Development, and what happens when a handler traps", SupervisionOptions.all),
        ("The page at /", PageOptions.all), ("Files, scripts and passwords", SiteOptions.all),
        ("Limits", limits), ("Limits of one client", clients), ("Topics", topics),
        ("Administration", admin + RunOptions.all),
        ("Compression (permessage-deflate)", compression), ("Time limits, in seconds", waits),
        ("Log", logging), ("Configuration and information", information),
    ])

    static var all: [ServerOption] { table.all }

    /// - Parameter spelling: without dashes in front; `_` is as good as `-`.
    static func named(_ spelling: some StringProtocol) -> ServerOption? { table.named(spelling) }
}

// MARK: - Kinds of options

extension ServerOptions {
    static func byteLimit(
        _ name: String, _ path: WritableKeyPath<Configuration, Int> & Sendable, _ minimum: Int,
        _ help: String
    ) -> ServerOption {
        ServerOption(
            name: name, value: "BYTES", help: "\(help), default \(defaults[keyPath: path])"
        ) { settings, text, option throws(UsageError) in
            settings.configuration[keyPath: path] = try Values.bytes(
                text, atLeast: minimum, option)
        }.byDefault(defaults[keyPath: path])
    }

    static func count(
        _ name: String, _ path: WritableKeyPath<Configuration, Int> & Sendable,
        _ range: ClosedRange<Int>, letter: Character? = nil, _ help: String
    ) -> ServerOption {
        ServerOption(
            name: name, letter: letter, value: "COUNT",
            help: "\(help), default \(defaults[keyPath: path])"
        ) { settings, text, option throws(UsageError) in
            settings.configuration[keyPath: path] = try Values.integer(text, range, option)
        }.byDefault(defaults[keyPath: path])
    }

    static func wait(
        _ name: String, _ path: WritableKeyPath<Configuration, Duration> & Sendable,
        isZeroAllowed: Bool = false, _ help: String
    ) -> ServerOption {
        let seconds = defaults[keyPath: path].components.seconds
        return ServerOption(
            name: name, value: "SECONDS", help: "\(help), default \(seconds)"
        ) { settings, text, option throws(UsageError) in
            settings.configuration[keyPath: path] = try Values.seconds(
                text, isZeroAllowed: isZeroAllowed, option)
        }.byDefault(seconds)
    }
}
