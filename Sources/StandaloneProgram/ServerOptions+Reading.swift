import CommandLineOptions
import EventLoop
import WebSocketHost

/// The settings, and where they come from.
struct Invocation: Sendable {
    var settings = ServerSettings()
    /// The assignment in effect, by the option's name; other options have their default.
    var given: [String: Assignment<ServerSettings>] = [:]
    /// All that are in effect, those of an option that may be repeated too.
    var effective: [Assignment<ServerSettings>] = []
}

extension ServerOptions {
    /// Reads the command line, the environment and the configuration file that they name.
    ///
    /// The strongest origin of an option wins. Values from weaker origins are checked too, but have
    /// no effect.
    ///
    /// - Parameters:
    ///   - arguments: after the program's name.
    ///   - environment: all variables, also those of other programs.
    ///   - passed: where it listens beside what options say.
    ///   - readFile: returns the text of a file.
    static func read(
        _ arguments: [String], environment: [String: String] = [:],
        passed: [ListenerSettings] = [],
        readFile: (String) throws(SystemError) -> String
    ) throws(UsageError) -> Invocation {
        let commandLine = try table.read(arguments).assignments
        // --help works even if other options are wrong.
        if commandLine.contains(where: { ["help", "version"].contains($0.option.name) }) {
            return try resolve(commandLine, passed)
        }
        var notes: [String] = []
        let variables = try assignments(environment, notes: &notes)
        var all = variables + commandLine
        if let path = all.last(where: { $0.option.name == "config" })?.text {
            let text: String
            do throws(SystemError) {
                text = try readFile(path)
            } catch {
                throw UsageError(
                    "--config: \(escaped("\(error)", limit: 1_000))",
                    exitCode: Program.ExitCode.failure)
            }
            all = try assignments(inFile: text, path: path) + all
        }
        if let start = environment[StartOptions.variable] {
            all = StartOptions.fix(all, to: start)
        }
        var invocation = try resolve(all, passed)
        invocation.settings.notes += notes + SiteOptions.notes(invocation.settings)
        return invocation
    }

    /// - Parameter all: in ascending order of strength.
    private static func resolve(
        _ all: [Assignment<ServerSettings>], _ passed: [ListenerSettings]
    ) throws(UsageError) -> Invocation {
        var invocation = Invocation()
        var strongest: [String: (strength: Int, index: Int)] = [:]
        for (index, assignment) in all.enumerated() {
            strongest[assignment.option.name] = (assignment.origin.strength, index)
        }
        var ignored = ServerSettings()
        for (index, assignment) in all.enumerated() {
            let last = strongest[assignment.option.name]
            // An option that may be repeated gets all of its values, a flag the last one.
            if assignment.origin.strength == last?.strength,
                !assignment.option.isFlag || index == last?.index
            {
                try assignment.apply(to: &invocation.settings)
                invocation.effective.append(assignment)
                invocation.given[assignment.option.name] = assignment.joined(
                    behind: invocation.given[assignment.option.name])
            } else {
                try assignment.apply(to: &ignored)
            }
        }
        if !invocation.settings.showsHelp && !invocation.settings.showsVersion {
            try settle(where: &invocation, passed)
        }
        return invocation
    }

    /// Where to listen, which several options say together.
    private static func settle(
        where invocation: inout Invocation, _ passed: [ListenerSettings]
    ) throws(UsageError) {
        var settings = invocation.settings
        defer { invocation.settings = settings }
        settings.tls.isWantedByAddress =
            settings.listen.wantsTLS || passed.contains(where: \.isSecure)
        settings.configuration.tls = try settings.tls.configuration()
        let isPortGiven = invocation.given["port"] != nil
        settings.configuration.listeners = try settings.listen.listeners(
            and: passed, beside: settings.configuration.host, settings.configuration.port,
            isPortGiven: isPortGiven, settings.tls)
        try checkProxies(settings.configuration)
        let hasOthers = !settings.listen.addresses.isEmpty || !passed.isEmpty
        if hasOthers, invocation.given["server-host"] != nil,
            !isPortGiven, settings.tls.port == nil
        {
            settings.notes.append(
                "-H, --server-host has no effect beside --listen, or sockets that were "
                    + "passed (LISTEN_FDS), without -p or --tls-port")
        }
    }
}

// MARK: - The environment and the file

extension ServerOptions {
    /// - Parameter notes: receives a line for each variable that begins with our prefix but is no
    ///   option. Something else may have set it: Kubernetes names variables after services.
    private static func assignments(
        _ environment: [String: String], notes: inout [String]
    ) throws(UsageError) -> [Assignment<ServerSettings>] {
        var assignments: [Assignment<ServerSettings>] = []
        for (variable, text) in environment.sorted(by: { $0.key < $1.key })
        where variable.hasPrefix(Environment.prefix) {
            let word = String(variable.dropFirst(Environment.prefix.count))
            if Environment.reserved.contains(word) || text.isEmpty { continue }
            guard let option = all.first(where: { $0.variable == variable }),
                option.scope != .commandLineOnly
            else {
                let variables = all.filter { $0.scope != .commandLineOnly }.map(\.variable)
                let hint = Nearest.hint(variable, among: variables)
                notes.append("environment: \(escaped(variable)) is not an option\(hint)")
                continue
            }
            assignments.append(
                Assignment(
                    option: option, text: text, origin: .environment(variable: variable),
                    key: variable))
        }
        return assignments
    }

    private static func assignments(
        inFile text: String, path: String
    ) throws(UsageError) -> [Assignment<ServerSettings>] {
        var assignments: [Assignment<ServerSettings>] = []
        for entry in try ConfigurationFile.parse(text, path: path) {
            let origin = Origin.file(path: path, lineNumber: entry.lineNumber)
            let name = ServerOption.normalized(entry.key)
            guard let option = named(name) else {
                let words = all.filter { $0.scope == .anywhere }.map(\.name)
                let key = Nearest.match(name, among: words).flatMap { named($0)?.key }
                let hint = key.map { "; did you mean \($0)?" } ?? ""
                throw UsageError("\(origin): unknown option \(escaped(entry.key))\(hint)")
            }
            guard option.scope == .anywhere else {
                throw UsageError("\(origin): \(escaped(entry.key)) belongs on the command line")
            }
            let value = located(entry.value, of: option, besides: path)
            assignments.append(
                Assignment(option: option, text: value, origin: origin, key: entry.key))
        }
        return assignments
    }

    /// The value with its paths as seen from the current directory.
    private static func located(
        _ value: String, of option: ServerOption, besides file: String
    ) -> String {
        if option.isPath { return resolved(value, besides: file) }
        guard option.isAddress else { return value }
        let prefix = ListenAddress.unixPrefix
        return value.split(separator: " ").map { word in
            guard word.hasPrefix(prefix) else { return String(word) }
            return prefix + resolved(String(word.dropFirst(prefix.count)), besides: file)
        }.joined(separator: " ")
    }

    /// Resolves a path in a file against the file's directory, so that the file means the same
    /// wherever the server is started.
    private static func resolved(_ path: String, besides file: String) -> String {
        guard !path.isEmpty, path.utf8.first != UInt8(ascii: "/"),
            let slash = file.utf8.lastIndex(of: UInt8(ascii: "/"))
        else {
            return path
        }
        return file[...slash] + path
    }
}
