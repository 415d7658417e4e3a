import CommandLineOptions

/// What the command line of `status` asks for.
struct StatusSettings: Equatable, Sendable {
    var place = PlaceSettings()
    /// `--json`
    var isJSON = false
    /// `--timeout`. How long the server may take.
    var timeout: Duration = .seconds(10)
    var showsHelp = false

    /// - Parameters:
    ///   - arguments: after the command.
    ///   - variable: of the environment. Those that name the server's options apply here too.
    /// - Throws: for wrong arguments.
    static func read(
        _ arguments: [String], variable: (String) -> String?
    ) throws(UsageError) -> StatusSettings {
        var settings = StatusSettings()
        let line = try table.read(arguments)
        settings.showsHelp = line.assignments.contains { $0.option.name == "help" }
        if settings.showsHelp { return settings }
        try table.read(environment: variable, into: &settings)
        for assignment in line.assignments { try assignment.apply(to: &settings) }
        return settings
    }

    static let table = OptionTable<StatusSettings>([
        (
            "Options",
            PlaceSettings.options(\.place) + [
                Option(name: "json", help: "as JSON, for programs") { settings, _, _ in
                    settings.isJSON = true
                }.scoped(.commandLineOnly),
                Option(
                    name: "timeout", value: "SECONDS",
                    help: "how long the server may take, default 10"
                ) { settings, text, option throws(UsageError) in
                    settings.timeout = try Values.seconds(text, isZeroAllowed: false, option)
                }.scoped(.commandLineOnly),
                Option(name: "help", letter: "h", help: "print this help and exit") {
                    settings, _, _ in settings.showsHelp = true
                }.scoped(.commandLineOnly),
            ]
        )
    ])

    static let shortUsage = """
        usage: ./standalone.sh status [options]
               ./standalone.sh status --help explains all options
        """

    static var help: String {
        """
        Shows how a server is: whether it is ready, and if not why; its processes, the connections
        of each route, and event loops that a handler blocks.

        usage: ./standalone.sh status [options]
        \(table.help)
        Environment: WEBSOCKETHOST_PORT, WEBSOCKETHOST_RUN_DIRECTORY.
        Exit codes: 0 it is ready; 1 it is not, or no server answers; 2 wrong arguments.
        """
    }
}
