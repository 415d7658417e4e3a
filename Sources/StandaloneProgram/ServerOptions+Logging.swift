import CommandLineOptions
import WebSocketHost

extension ServerOptions {
    private static let log = LogSettings()
    private static let levels = LogLevel.allCases.map(\.name)

    static let logging: [ServerOption] = [
        ServerOption(
            name: "log-file", letter: "l", value: "FILE",
            help: "append the log to FILE instead of stderr; SIGUSR1 reopens it"
        ) { settings, text, _ in settings.logFile = text },
        ServerOption(
            name: "log-level", value: "LEVEL",
            help: "fine (every frame), debug, info (default), warning, error or critical"
        ) { settings, text, option throws(UsageError) in
            settings.log.level = try Values.logLevel(text, option)
        }.byDefault(log.level.name).offering(levels),
        ServerOption(
            name: "deflate-log-level", value: "LEVEL",
            help: "the same for lines about compression; debug: what was negotiated; default "
                + log.compressionLevel.name
        ) { settings, text, option throws(UsageError) in
            settings.log.compressionLevel = try Values.logLevel(
                text, option, among: LogLevel.allCases.filter { $0 != .fine })
        }.byDefault(log.compressionLevel.name).offering(levels.filter { $0 != LogLevel.fine.name }),
        ServerOption(
            name: "request-log-level", value: "LEVEL",
            help: "the level of lines about requests for pages, files and scripts; default "
                + "\(log.requestLevel.name); debug: only with --log-level debug"
        ) { settings, text, option throws(UsageError) in
            settings.log.requestLevel = try Values.logLevel(text, option)
        }.byDefault(log.requestLevel.name).offering(levels),
        ServerOption(
            name: "log-format", value: "FORMAT", help: "text (default) or json: one object per line"
        ) { settings, text, option throws(UsageError) in
            settings.log.format = try Values.logFormat(text, option)
        }.byDefault(log.format.rawValue).offering(LogFormat.allCases.map(\.rawValue)),
        ServerOption(
            name: "log-max", value: "BYTES",
            help: "size at which FILE becomes FILE.1, default \(log.fileByteLimit); 0: never"
        ) { settings, text, option throws(UsageError) in
            settings.log.fileByteLimit = try Values.bytes(text, atLeast: 0, option)
        }.byDefault(log.fileByteLimit),
        ServerOption(
            name: "log-count", value: "COUNT",
            help: "how many such files are kept, default \(log.fileCountLimit); 0: FILE only grows"
        ) { settings, text, option throws(UsageError) in
            settings.log.fileCountLimit = try Values.integer(text, 0...1_000, option)
        }.byDefault(log.fileCountLimit),
        ServerOption(
            name: "log-queue-size", value: "BYTES",
            help:
                "lines kept for a slow reader of the log, default \(log.queueByteLimit); more are "
                + "left out and counted"
        ) { settings, text, option throws(UsageError) in
            settings.log.queueByteLimit = try Values.bytes(text, atLeast: 4_096, option)
        }.byDefault(log.queueByteLimit),
        ServerOption(
            name: "thread-monitor-interval-in-sec", value: "SECONDS",
            help: "log the load of each event loop this often; default -1: never"
        ) { settings, text, option throws(UsageError) in
            let seconds = try Values.integer(text, -1...86_400, option)
            settings.configuration.loopReportInterval = seconds > 0 ? .seconds(seconds) : nil
        }.byDefault(-1),
    ]

    static let information: [ServerOption] = [
        ServerOption(
            name: "config", value: "FILE",
            help:
                "options as lines 'name = value' below [websockethost] or [pywebsocket]; "
                + "\(Environment.prefix)… variables override the file, and the command line "
                + "overrides both"
        ) { _, _, _ in }.scoped(.notInFile),
        ServerOption(
            name: "print-config",
            help: "print each option's value and where it comes from, and exit"
        ) {
            settings, _, _ in settings.printsConfiguration = true
        }.scoped(.commandLineOnly),
        ServerOption(name: "list-routes", help: "print the routes and exit") {
            settings, _, _ in settings.listsRoutes = true
        }.scoped(.commandLineOnly),
        ServerOption(
            name: "check",
            help:
                "print the routes and what is wrong without serving; exit code 4 if a handler "
                + "does not compile"
        ) { settings, _, _ in settings.checks = true }.scoped(.commandLineOnly),
        ServerOption(name: "version", help: "print the version and exit") {
            settings, _, _ in settings.showsVersion = true
        }.scoped(.commandLineOnly),
        ServerOption(name: "help", letter: "h", help: "print this help and exit") {
            settings, _, _ in settings.showsHelp = true
        }.scoped(.commandLineOnly),
    ]
}
