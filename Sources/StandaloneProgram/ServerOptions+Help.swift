// The texts about the options: help, and the listing of all values.

import CommandLineOptions
import WebSocketHost

extension ServerOptions {
    static let shortUsage = """
        usage: ./standalone.sh [-p PORT] [-w HANDLERS_DIR] [options]
               ./standalone.sh --help explains all options
        """

    /// `standalone.sh help`. The file help.txt beside this one has the same text.
    static var help: String {
        """
        WebSocketHost: serves a directory of WebSocket handlers. handlers/echo_wsh.swift answers
        ws://localhost:\(defaults.port)/echo.

        usage: ./standalone.sh [-p PORT] [-w HANDLERS_DIR] [options]
               ./standalone.sh COMMAND [arguments]

        \(CommandHelp.text)\(table.help)
        \(notes)
        """
    }

    /// `--help` of a program that `standalone.sh build` made, which has its handlers in it.
    static func help(ofProgram name: String) -> String {
        """
        A server of WebSocketHost with its handlers in it.

        usage: \(name) [-p PORT] [options]
        \(table.help)
        \(notes)
        """
    }

    private static let notes = """
        Sizes take K, M and G. Every option may be written with _ for - and its value after =,
        and set by an environment variable: \(Environment.prefix)PORT is --port. Paths are
        relative to the current directory; in a configuration file, to that file.
        Exit codes: 0 stopped as asked, 1 cannot start or was forced to stop, 2 wrong arguments,
        3 cannot listen, 4 --strict and a handler does not compile.
        """

    /// `--print-config`: a configuration file with the same meaning as this invocation. Each value
    /// stands below a comment with its origin; defaults are comments themselves.
    static func listing(_ invocation: Invocation) -> String {
        var lines = [
            "# Each option below a comment with its origin. #name = value is a default.",
            "[websockethost]",
        ]
        for group in table.groups {
            let options = group.options.filter { $0.scope == .anywhere }
            if !options.isEmpty { lines += ["", "# \(group.title)"] }
            for option in options { lines += entry(option, invocation.given[option.name]) }
        }
        return lines.joined(separator: "\n")
    }

    private static func entry(_ option: ServerOption, _ given: Assignment<ServerSettings>?)
        -> [String]
    {
        guard let given else {
            let text = option.defaultText ?? (option.isFlag ? "false" : "")
            return [text.isEmpty ? "#\(option.key) =" : "#\(option.key) = \(text)"]
        }
        var text = given.text
        if option.isFlag { text = (try? given.isSet()) == true ? "true" : "false" }
        if option.isSecret { text = "(not shown)" }
        return ["# \(given.origin)", "\(option.key) = \(text)"]
    }
}
