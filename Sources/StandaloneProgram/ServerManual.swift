import CommandLineOptions
import WebSocketHost

/// The manual page of `standalone.sh`.
package enum ServerManual {
    /// - Parameter program: see ``CommandHelp/shape(options:)``.
    package static func page(_ program: CommandShape) -> String {
        ManualPage(
            program, version: "WebSocketHost \(Product.version)",
            description: [
                "Serves each file of a directory as a WebSocket endpoint: the file's path is the "
                    + "path of the URL, so handlers/echo_wsh.swift answers "
                    + "ws://localhost:\(ServerOptions.defaults.port)/echo.",
                "Handler files are compiled and become part of the server. Programs NAME_wsh, in "
                    + "any language, are run for each connection.",
            ],
            sections: [
                (
                    "Values",
                    [
                        "Sizes take K, M and G. Every option may be written with _ for - and its "
                            + "value after =. Paths are relative to the current directory; in a "
                            + "configuration file, to that file."
                    ]
                ),
                (
                    "Configuration file",
                    [
                        "--config FILE names one, with lines 'name = value' below [websockethost]. "
                            + "--print-config writes one with the values of all options."
                    ]
                ),
                (
                    "Environment",
                    [
                        "Each option can be set by a variable, such as --port by "
                            + "\(Environment.prefix)PORT. Variables override the file, and the "
                            + "command line overrides both."
                    ]
                ),
                (
                    "Signals",
                    [
                        "SIGTERM and SIGINT: closes all connections with 1001 and ends; at a "
                            + "second one at once.",
                        "SIGHUP: reads the configuration again; a new process takes over, and "
                            + "connections stay with the old one.",
                        "SIGUSR1: opens the log file again.",
                    ]
                ),
                (
                    "Exit status",
                    [
                        "0 stopped as asked, 1 cannot start or was forced to stop, 2 wrong "
                            + "arguments, 3 cannot listen, 4 --strict and a handler does not "
                            + "compile."
                    ]
                ),
            ],
            examples: CommandHelp.examples
        ).text
    }
}
