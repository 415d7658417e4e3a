import CommandLineOptions

/// The options that a reload (SIGHUP) does not take: the supervisor has used their values at its
/// start, and goes on with them. Every server process gets these values too, whatever the
/// configuration file has by then.
enum StartOptions {
    /// docs/CONFIGURATION.md has the same list.
    static let names: Set<String> = [
        "port", "server-host", "tls-port", "listen", "queue", "admin-listen",
        "websock-handlers", "scan-dir", "allow-handlers-outside-root-dir",
        "run-directory", "no-run-directory",
        "watch", "no-supervisor", "start-timeout", "max-old-generations", "drain-timeout",
        "log-file", "log-max", "log-count",
    ]

    /// By which a server process learns the values, a line for each.
    static let variable = Environment.prefix + variableName
    static let variableName = "STARTED_WITH"

    /// `NAME=value` of ``variable``.
    static func entry(_ invocation: Invocation) -> String {
        let lines = invocation.effective.compactMap { assignment -> String? in
            guard names.contains(assignment.option.name) else { return nil }
            return "\(assignment.option.name)\t\(escape(value(of: assignment)))"
        }
        return "\(variable)=\(lines.joined(separator: "\n"))"
    }

    /// Puts the values of the start in the place of those that were given since.
    ///
    /// - Parameter text: of ``variable``.
    static func fix(
        _ assignments: [Assignment<ServerSettings>], to text: String
    ) -> [Assignment<ServerSettings>] {
        let fixed = text.split(separator: "\n").compactMap {
            line -> Assignment<ServerSettings>? in
            let parts = line.split(separator: "\t", maxSplits: 1, omittingEmptySubsequences: false)
            guard parts.count == 2, names.contains(String(parts[0])),
                let option = ServerOptions.named(parts[0])
            else { return nil }
            let spelling = "--\(option.name)"
            return Assignment(
                option: option, text: unescape(parts[1]), origin: .commandLine(spelling),
                key: spelling)
        }
        return assignments.filter { !names.contains($0.option.name) } + fixed
    }

    /// Those that have other values now, in the order of the help.
    static func changes(from start: Invocation, to now: Invocation) -> [String] {
        func values(_ invocation: Invocation, _ option: ServerOption) -> [String] {
            let values = invocation.effective.filter { $0.option.name == option.name }.map(value)
            // To give the default, or "no", is to give nothing.
            return values.filter { $0 != option.defaultText && !(option.isFlag && $0 == "false") }
        }
        return ServerOptions.all.filter { option in
            names.contains(option.name) && values(start, option) != values(now, option)
        }.map { "--\($0.name)" }
    }

    private static func value(of assignment: Assignment<ServerSettings>) -> String {
        guard assignment.option.isFlag else { return assignment.text }
        return (try? assignment.isSet()) == true ? "true" : "false"
    }

    /// Without line ends.
    private static func escape(_ text: String) -> String {
        text.replacing("\\", with: "\\\\").replacing("\n", with: "\\n")
    }

    private static func unescape(_ text: Substring) -> String {
        var result = ""
        var isEscaped = false
        for character in text {
            if isEscaped {
                result.append(character == "n" ? "\n" : character)
                isEscaped = false
            } else if character == "\\" {
                isEscaped = true
            } else {
                result.append(character)
            }
        }
        return result
    }
}
