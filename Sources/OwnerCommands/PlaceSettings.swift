import CommandLineOptions
import Logging
import Processes

/// The options of all commands that name a server.
struct PlaceSettings: Equatable, Sendable {
    /// `-p`
    var port: UInt16 = 9_998
    /// `--run-directory`; `nil`: where servers are by default.
    var runDirectory: String?
    /// `--server`; `nil`: in the run directory.
    var server: AdminAddress?

    /// - Parameter variable: of the environment.
    func place(_ variable: (String) -> String?) -> ServerPlace {
        if let server { return .address(server) }
        return .runDirectories(
            runDirectory.map { [$0] } ?? RunDirectory.ofServers(variable), port: port)
    }

    /// Those of the command with these settings.
    static func options<Settings>(
        _ path: WritableKeyPath<Settings, PlaceSettings> & Sendable
    ) -> [Option<Settings>] {
        [
            Option(
                name: "port", letter: "p", value: "PORT", help: "the server's, default 9998"
            ) { settings, text, option throws(UsageError) in
                settings[keyPath: path].port = UInt16(
                    clamping: try Values.integer(text, 1...65_535, option))
            },
            Option(
                name: "run-directory", value: "DIR",
                help: "where its socket PORT.sock is, if it was started with this option"
            ) { settings, text, option throws(UsageError) in
                if text.isEmpty { throw UsageError("\(option) needs a directory") }
                settings[keyPath: path].runDirectory = text
            },
            Option(
                name: "server", value: "ADDRESS",
                help: "its --admin-listen, instead of both: http://127.0.0.1:9999, or "
                    + "unix:/run/admin.sock"
            ) { settings, text, option throws(UsageError) in
                guard let address = AdminAddress(text) else {
                    throw UsageError(
                        "\(option): expected an address such as http://127.0.0.1:9999 or "
                            + "unix:/run/admin.sock, found '\(escaped(text))'")
                }
                settings[keyPath: path].server = address
            }.scoped(.commandLineOnly),
        ]
    }
}

extension OptionTable {
    /// Reads the options that the environment has, which are named as the server's are.
    func read(
        environment variable: (String) -> String?, into settings: inout Settings
    ) throws(UsageError) {
        for option in all where option.scope == .anywhere {
            let name = "WEBSOCKETHOST_" + option.key.uppercased()
            if let text = variable(name) { try option.apply(&settings, text, name) }
        }
    }
}
