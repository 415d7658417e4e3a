import CommandLineOptions
import WebSocketHost

extension Options {
    private static let log = LogSettings()

    static let logging: [Option] = [
        Option(
            name: "log-file", letter: "l", value: "FILE",
            help: "append the log here, not to stderr; SIGUSR1 opens it anew"
        ) { settings, text, _ in settings.logFile = text },
        Option(
            name: "log-level", value: "LEVEL",
            help: "fine (every frame), debug, info (default), warning, error or critical"
        ) { settings, text, option throws(UsageError) in
            settings.log.level = try Values.logLevel(text, option)
        }.byDefault(log.level.name),
        Option(
            name: "deflate-log-level", value: "LEVEL",
            help: "the same for lines about compression; debug: what was agreed on; default "
                + log.compressionLevel.name
        ) { settings, text, option throws(UsageError) in
            settings.log.compressionLevel = try Values.logLevel(
                text, option, among: LogLevel.allCases.filter { $0 != .fine })
        }.byDefault(log.compressionLevel.name),
        Option(
            name: "log-format", value: "FORMAT", help: "text (default) or json: an object per line"
        ) { settings, text, option throws(UsageError) in
            settings.log.format = try Values.logFormat(text, option)
        }.byDefault(log.format.rawValue),
        Option(
            name: "log-max", value: "BYTES",
            help: "size at which FILE becomes FILE.1, default \(log.fileByteLimit); 0: never"
        ) { settings, text, option throws(UsageError) in
            settings.log.fileByteLimit = try Values.bytes(text, atLeast: 0, option)
        }.byDefault(log.fileByteLimit),
        Option(
            name: "log-count", value: "COUNT",
            help: "such files that are kept, default \(log.fileCountLimit); 0: FILE only grows"
        ) { settings, text, option throws(UsageError) in
            settings.log.fileCountLimit = try Values.integer(text, 0...1_000, option)
        }.byDefault(log.fileCountLimit),
        Option(
            name: "thread-monitor-interval-in-sec", value: "SECONDS",
            help: "log what each event loop has to do, this often; default -1: never"
        ) { settings, text, option throws(UsageError) in
            let seconds = try Values.integer(text, -1...86_400, option)
            settings.configuration.loopReportInterval = seconds > 0 ? .seconds(seconds) : nil
        }.byDefault(-1),
    ]

    static let information: [Option] = [
        Option(
            name: "config", value: "FILE",
            help:
                "options as lines 'name = value' under [websockethost] or [pywebsocket]; the "
                + "command "
                + "line goes before \(Environment.prefix)… variables, and they before the file"
        ) { _, _, _ in }.scoped(.notInFile),
        Option(
            name: "print-config", help: "print every option's value and where it is from, and end"
        ) {
            settings, _, _ in settings.printsConfiguration = true
        }.scoped(.commandLineOnly),
        Option(name: "list-routes", help: "print the routes and end") {
            settings, _, _ in settings.listsRoutes = true
        }.scoped(.commandLineOnly),
        Option(
            name: "check",
            help:
                "print the routes and what is wrong, serve nothing; exit code 4 if a handler does "
                + "not compile"
        ) { settings, _, _ in settings.checks = true }.scoped(.commandLineOnly),
        Option(name: "version", help: "print the version and end") {
            settings, _, _ in settings.showsVersion = true
        }.scoped(.commandLineOnly),
        Option(name: "help", letter: "h", help: "print this and end") {
            settings, _, _ in settings.showsHelp = true
        }.scoped(.commandLineOnly),
    ]
}
