import CommandLineOptions
import HandlerBuild
import WebSocketHost

extension ServerOptions {
    static let listening: [ServerOption] = [
        ServerOption(
            name: "port", letter: "p", value: "PORT",
            help: "default \(defaults.port); 0: any free port"
        ) { settings, text, option throws(UsageError) in
            settings.configuration.port = UInt16(
                clamping: try Values.integer(text, 0...65_535, option))
        }.byDefault(defaults.port),
        ServerOption(
            name: "server-host", letter: "H", value: "HOST",
            help: "name or address; default \(defaults.host), both loopback addresses; "
                + "'*': every address of this machine"
        ) { settings, text, _ in settings.configuration.host = text }.byDefault(defaults.host),
        ListenOptions.option,
        ServerOption(
            name: "base-path", value: "PATH",
            help: "serve handlers, files and the page below this path only, such as /chat, for a "
                + "proxy that has other things beside them and does not strip it"
        ) { settings, text, option throws(UsageError) in
            settings.configuration.basePath = try Values.basePath(text, option)
        },
        ServerOption(
            name: "validation-host", letter: "V", value: "HOST",
            help:
                "the host that an absolute request line (GET ws://HOST/echo) must name; others "
                + "get 421"
        ) { settings, text, option throws(UsageError) in
            settings.configuration.validationHost = try Values.host(text, option)
        },
        ServerOption(
            name: "validation-port", letter: "P", value: "PORT",
            help: "the port that it must name, or imply by its scheme; others get 421"
        ) { settings, text, option throws(UsageError) in
            settings.configuration.validationPort = UInt16(
                clamping: try Values.integer(text, 1...65_535, option))
        },
        count(
            "queue", \.backlog, 1...65_535, letter: "q",
            "connections that may wait to be accepted"),
        ServerOption(
            name: "threads", value: "COUNT", help: "event loops; default: one per processor"
        ) { settings, text, option throws(UsageError) in
            settings.configuration.threadCount = try Values.integer(text, 1...256, option)
        },
        count(
            "spare-threads", \.spareLoopLimit, 0...256,
            "event loops that may be started for new connections while handlers block all others"),
    ]

    static let handlers: [ServerOption] = [
        ServerOption(
            name: "websock-handlers", letter: "w", value: "DIR",
            help:
                "the directory of the handler files (…_wsh.swift), which standalone.sh compiles; "
                + "default: handlers beside standalone.sh"
        ) { settings, text, _ in settings.handlers.directory = text },
        ServerOption(
            name: "scan-dir", letter: "s", value: "DIR",
            help: "look for handlers only here, inside -w (standalone.sh)"
        ) { settings, text, _ in settings.handlers.scanDirectory = text },
        ServerOption(
            name: "websock-handlers-map-file", letter: "m", value: "FILE",
            help: "more paths for handlers, one per line: '/alias /existing'"
        ) { settings, text, _ in settings.mapFile = text },
        ServerOption(
            name: "allow-handlers-outside-root-dir",
            help: "follow links to files outside -w (standalone.sh)"
        ) { settings, _, _ in settings.handlers.allowsOutside = true },
        ServerOption(
            name: "handler-encoding", value: "NAME",
            help: "accepted for pywebsocket3's command lines; Swift files are always UTF-8"
        ) { settings, text, option in
            settings.notes.append(
                "\(option) '\(escaped(text))' is ignored: Swift files are always UTF-8")
        },
        ServerOption(
            name: "strict", help: "do not start if a handler does not compile (exit code 4)"
        ) {
            settings, _, _ in settings.handlers.isStrict = true
        },
        ServerOption(
            name: "origin", value: "LIST",
            help: "which pages may connect: 'any' (default), 'same' host and port, or origins "
                + "separated by commas; others get 403"
        ) { settings, text, option throws(UsageError) in
            settings.configuration.allowedOrigins = try Values.origins(text, option)
        }.byDefault("any").offering(["any", "same"]),
    ]
}
