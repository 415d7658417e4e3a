import CommandLineOptions
import Logging

/// What the command line of `publish` asks for.
struct PublishSettings: Equatable, Sendable {
    var topic = ""
    var place = PlaceSettings()
    /// `--binary`
    var isBinary = false
    /// `--max-message-size`. As the server's default.
    var messageByteLimit = 1 << 20
    /// `--timeout`. How long a server may be gone, or answer nothing.
    var timeout: Duration = .seconds(10)
    var showsHelp = false

    typealias PublishOption = Option<PublishSettings>

    /// - Parameters:
    ///   - arguments: after the command.
    ///   - variable: of the environment. Those that name the server's options apply here too.
    /// - Throws: for wrong arguments.
    static func read(
        _ arguments: [String], variable: (String) -> String?
    ) throws(UsageError) -> PublishSettings {
        var settings = PublishSettings()
        let line = try table.read(arguments, takesOperands: true)
        settings.showsHelp = line.assignments.contains { $0.option.name == "help" }
        if settings.showsHelp { return settings }
        try table.read(environment: variable, into: &settings)
        for assignment in line.assignments { try assignment.apply(to: &settings) }
        settings.topic = try topic(line.operands)
        return settings
    }

    private static func topic(_ operands: [String]) throws(UsageError) -> String {
        guard let topic = operands.first else {
            throw UsageError("the topic's name is missing")
        }
        if operands.count > 1 {
            throw UsageError(
                "one topic at a time, not '\(escaped(topic))' and '\(escaped(operands[1]))'")
        }
        if topic.isEmpty { throw UsageError("a topic's name is not empty") }
        // What the system passed and is not UTF-8 has become this character.
        if topic.unicodeScalars.contains("\u{FFFD}") {
            throw UsageError("the topic's name '\(escaped(topic))' is not UTF-8")
        }
        return topic
    }

    static let table = OptionTable<PublishSettings>([
        (
            "Options",
            PlaceSettings.options(\.place) + [
                PublishOption(
                    name: "binary", help: "all of standard input is one binary message"
                ) { settings, _, _ in settings.isBinary = true }.scoped(.commandLineOnly),
                PublishOption(
                    name: "max-message-size", value: "BYTES",
                    help: "longest message, default 1048576; the server has this limit too"
                ) { settings, text, option throws(UsageError) in
                    settings.messageByteLimit = try Values.bytes(text, atLeast: 1, option)
                },
                PublishOption(
                    name: "timeout", value: "SECONDS",
                    help: "how long to wait for a server that has gone, or does not answer, "
                        + "default 10"
                ) { settings, text, option throws(UsageError) in
                    settings.timeout = try Values.seconds(text, option)
                }.scoped(.commandLineOnly),
                PublishOption(name: "help", letter: "h", help: "print this help and exit") {
                    settings, _, _ in settings.showsHelp = true
                }.scoped(.commandLineOnly),
            ]
        )
    ])

    static let shortUsage = """
        usage: ./standalone.sh publish NAME [options]
               ./standalone.sh publish --help explains all options
        """

    static var help: String {
        """
        Publishes to a topic of a server on this machine that the same user started, or of any
        by its --admin-listen.

        usage: ./standalone.sh publish NAME [options]
               tail -f FILE | ./standalone.sh publish NAME

        Each line of standard input is one text message, without its line end (LF or CR LF). An
        empty line is an empty message. A line goes out as soon as it is complete; what follows the
        last line end is a line too. A line that is not UTF-8 or too long is left out and named on
        standard error, and the next one follows. With --binary all of standard input is one
        message, or none if it is too long.

        While the server starts anew (--watch, a trap) lines wait, up to --timeout. No message is
        published twice: if a server process is killed, those that it had and did not answer are
        named as lost. Nobody waits for slow subscribers; --slow-subscribers of the server says what
        becomes of them.
        \(table.help)
        Environment: WEBSOCKETHOST_PORT, WEBSOCKETHOST_RUN_DIRECTORY,
        WEBSOCKETHOST_MAX_MESSAGE_SIZE.
        Exit codes: 0 all was published; 1 something was not: no server answers, or messages were
        left out or lost; 2 wrong arguments, or a name that no topic may have; 130 SIGINT (Ctrl-C).
        """
    }
}
