import CommandLineOptions
import HandlerBuild
import Testing
import WebSocketHost

@testable import StandaloneProgram

@Suite("Options from everywhere")
struct OptionReadingTests {
    /// Who says what about the port, and what comes of it.
    static let precedence:
        [(file: Int?, variable: Int?, commandLine: Int?, port: UInt16, origin: String?)] = [
            (nil, nil, nil, 9_998, nil),
            (1, nil, nil, 1, "a.ini:2"),
            (nil, 2, nil, 2, "environment: WEBSOCKETHOST_PORT"),
            (1, 2, nil, 2, "environment: WEBSOCKETHOST_PORT"),
            (nil, nil, 3, 3, "command line: -p"),
            (1, nil, 3, 3, "command line: -p"),
            (nil, 2, 3, 3, "command line: -p"),
            (1, 2, 3, 3, "command line: -p"),
        ]

    @Test("command line before environment before file before default", arguments: precedence)
    func order(
        _ file: Int?, _ variable: Int?, _ commandLine: Int?, _ port: UInt16, _ origin: String?
    )
        throws
    {
        let invocation = try read(
            ["--config", "a.ini"] + (commandLine.map { ["-p", "\($0)"] } ?? []),
            environment: variable.map { ["WEBSOCKETHOST_PORT": "\($0)"] } ?? [:],
            files: ["a.ini": "[pywebsocket]\n" + (file.map { "port = \($0)" } ?? "")])
        #expect(invocation.settings.configuration.port == port)
        #expect(invocation.given["port"]?.origin.description == origin)
        let listing = ServerOptions.listing(invocation).split(separator: "\n").map(String.init)
        #expect(listing.contains(origin == nil ? "#port = 9998" : "port = \(port)"))
        if let origin { #expect(listing.contains("# \(origin)")) }
    }

    static let flags: [(arguments: [String], variable: String?, file: String?, isStrict: Bool)] = [
        ([], nil, nil, false), (["--strict"], nil, nil, true), (["--strict=yes"], nil, nil, true),
        (["--strict=false"], nil, nil, false), (["--strict", "--strict=off"], nil, nil, false),
        ([], "1", nil, true), ([], "0", nil, false), ([], "", nil, false),
        ([], nil, "true", true), ([], nil, "Yes", true), ([], nil, "on", true),
        ([], nil, "1", true),
        ([], nil, "false", false), ([], nil, "no", false), ([], nil, "OFF", false),
        ([], nil, "0", false),
        (["--strict=no"], nil, "true", false), ([], "no", "true", false), ([], "yes", "no", true),
        (["--strict"], "no", "no", true),
    ]

    @Test("flags are true or false", arguments: flags)
    func flag(_ arguments: [String], _ variable: String?, _ file: String?, _ isStrict: Bool) throws
    {
        let invocation = try read(
            arguments + ["--config=a.ini"],
            environment: variable.map { ["WEBSOCKETHOST_STRICT": $0] } ?? [:],
            files: ["a.ini": "[websockethost]\n" + (file.map { "strict = \($0)" } ?? "")])
        #expect(invocation.settings.handlers.isStrict == isStrict)
    }

    static let spellings: [[String]] = [
        ["-q", "7"], ["-q7"], ["--queue", "7"], ["--queue=7"], ["-q", "6", "-q", "7"],
    ]

    @Test("spellings of the command line", arguments: spellings)
    func spelling(_ arguments: [String]) throws {
        #expect(try read(arguments).settings.configuration.backlog == 7)
    }

    @Test("every option has both spellings everywhere", arguments: ServerOptions.all)
    func bothSpellings(_ option: ServerOption) {
        #expect(ServerOptions.named(option.name)?.name == option.name)
        #expect(ServerOptions.named(option.key)?.name == option.name)
        #expect(!option.name.contains("_") && option.name == option.name.lowercased())
        #expect(ServerOptions.all.filter { $0.name == option.name }.count == 1)
        #expect(
            option.letter == nil
                || ServerOptions.all.filter { $0.letter == option.letter }.count == 1)
        #expect(ServerOptions.help.contains("--\(option.name)"))
    }

    @Test("every option that has a default shows it", arguments: ServerOptions.all)
    func listed(_ option: ServerOption) throws {
        let lines = ServerOptions.listing(try read()).split(separator: "\n")
        #expect(lines.contains { $0.hasPrefix("#\(option.key) =") } == (option.scope == .anywhere))
    }

    @Test("what --print-config prints is a file that says the same")
    func roundTrip() throws {
        let arguments = [
            "-p", "1", "--strict", "--log-format=json", "--max_message_size", "3K", "-H", "*",
        ]
        let first = try read(arguments)
        let text = ServerOptions.listing(first)
        let second = try read(["--config", "/x/b.ini"], files: ["/x/b.ini": text])
        #expect(second.settings.configuration.port == 1 && second.settings.handlers.isStrict)
        #expect(second.settings.configuration.connection.messageByteLimit == 3_072)
        #expect(second.settings.configuration.host == "*" && second.settings.log.format == .json)
        #expect(second.given.count == first.given.count + 1)
    }

    static let failures:
        [(
            name: String, arguments: [String], variables: [String: String], file: String,
            says: String
        )] = [
            (
                "unknown option", ["--prt", "1"], [:], "",
                "unknown option --prt; did you mean --port?"
            ),
            ("its beginning", ["--log-fo=json"], [:], "", "did you mean --log-format?"),
            ("nothing near", ["--zzzzzzzzzzzz"], [:], "", "unknown option --zzzzzzzzzzzz"),
            ("unknown letter", ["-Z"], [:], "", "unknown option -Z"),
            ("no option", ["echo"], [:], "", "'echo' is not an option"),
            ("no value", ["-p"], [:], "", "-p needs a value: -p PORT"),
            ("wrong flag", ["--strict=maybe"], [:], "", "--strict: 'maybe' is not true or false"),
            ("empty flag", ["--strict="], [:], "", "--strict: '' is not true or false"),
            ("a value for a command", ["--list-routes=1"], [:], "", "--list-routes takes no value"),
            ("wrong value", ["-p", "x"], [:], "", "-p: 'x' is not a whole number from 0 to 65535"),
            (
                "wrong word", ["--log-level", "inof"], [:], "",
                "--log-level: 'inof' is not one of fine, debug, info, warning, error, critical; "
                    + "did you mean info?"
            ),
            (
                "not for compression", ["--deflate-log-level=fine"], [:], "",
                "'fine' is not one of debug, info"
            ),
            (
                "variable", [], ["WEBSOCKETHOST_QUEUE": "x"], "",
                "WEBSOCKETHOST_QUEUE: 'x' is not a whole number"
            ),
            (
                "flag in a variable", [], ["WEBSOCKETHOST_STRICT": "x"], "",
                "WEBSOCKETHOST_STRICT: 'x' is not true"
            ),
            (
                "unknown key", [], [:], "\nlog_levle = info",
                "a.ini:3: unknown option log_levle; did you mean log_level?"
            ),
            (
                "value in the file", [], [:], "Queue = x",
                "a.ini:2: Queue: 'x' is not a whole number from 1"
            ),
            ("flag in the file", [], [:], "strict =", "a.ini:2: strict: '' is not true or false"),
            ("though it does not count", ["-q1"], [:], "queue = x", "a.ini:2: queue: 'x'"),
            (
                "a file in a file", [], [:], "config = b.ini",
                "a.ini:2: config belongs on the command line"
            ),
            ("help in a file", [], [:], "help = 1", "a.ini:2: help belongs on the command line"),
            ("a letter in a file", [], [:], "p = 1", "a.ini:2: unknown option p"),
        ]

    @Test("one line says option, value and what is allowed", arguments: failures)
    func fails(
        _ name: String, _ arguments: [String], _ variables: [String: String], _ file: String,
        _ says: String
    ) throws {
        let error = try #require(
            failure(
                ["--config", "a.ini"] + arguments, environment: variables,
                files: ["a.ini": "[pywebsocket]\n" + file]), "\(name)")
        #expect(error.description.contains(says), "\(name): \(error)")
        #expect(!error.description.contains("\n") && error.exitCode == 2)
    }

    /// What no option with this word for its value takes.
    static let wrong = [
        "PORT": "70000", "COUNT": "many", "BYTES": "lots", "SECONDS": "soon", "MODE": "shred",
        "LEVEL": "loud",
        "FORMAT": "yaml",
    ]

    @Test("wrong values are named wherever they stand", arguments: ServerOptions.all)
    func wrongValue(_ option: ServerOption) throws {
        guard let value = option.isFlag ? "maybe" : Self.wrong[option.value ?? ""],
            option.scope == .anywhere
        else { return }
        let errors = [
            "--\(option.name)": failure(["--\(option.name)=\(value)"]),
            option.variable: failure(environment: [option.variable: value]),
            "a.ini:2: \(option.key)": failure(
                ["--config=a.ini"], files: ["a.ini": "[pywebsocket]\n\(option.key) = \(value)"]),
        ]
        for (place, error) in errors {
            #expect(error?.description.hasPrefix("\(place): '\(value)' is n") == true, "\(place)")
        }
    }

    @Test("a file that cannot be read is exit code 1, unless help was asked for")
    func missingFile() throws {
        let error = try #require(failure(["--config", "none.ini"]))
        #expect(error.exitCode == 1 && error.description.contains("none.ini"))
        #expect(try read(["--config", "none.ini", "--help"]).settings.showsHelp)
        #expect(try read(["-p", "0", "-h", "--version"]).settings.showsVersion)
    }

    static let paths: [(config: String, value: String, path: String)] = [
        ("a.ini", "map", "map"), ("/etc/x/a.ini", "map", "/etc/x/map"),
        ("conf/a.ini", "m/a", "conf/m/a"),
        ("../a.ini", "../m", "../../m"), ("/etc/a.ini", "/m", "/m"), ("/etc/a.ini", "", ""),
    ]

    @Test("paths in a file are relative to the file", arguments: paths)
    func path(_ config: String, _ value: String, _ path: String) throws {
        let key = "websock_handlers_map_file"
        let text = "[pywebsocket]\n\(key) = \(value)\n"
        #expect(try read(["--config", config], files: [config: text]).settings.mapFile == path)
        let variables = ["WEBSOCKETHOST_CONFIG": config]
        #expect(try read(environment: variables, files: [config: text]).settings.mapFile == path)
        #expect(try read(["-m", value]).settings.mapFile == value)
    }

    @Test("variables that are no options are told, not refused")
    func strangeVariables() throws {
        let settings = try read(environment: [
            "WEBSOCKETHOST_SERVICE_HOST": "10.0.0.1", "WEBSOCKETHOST_MAX_CONECTIONS": "3",
            "WEBSOCKETHOST_HELP": "1", "WEBSOCKETHOST_BUILD": "debug", "PORT": "1",
            "WEBSOCKETHOST_THREADS": "",
        ]).settings
        #expect(settings.notes.count == 3 && !settings.showsHelp)
        #expect(
            settings.notes.contains { $0.contains("did you mean WEBSOCKETHOST_MAX_CONNECTIONS?") })
        #expect(settings.configuration.port == 9_998)
    }

    @Test("the reference's options that do nothing here say so")
    func ignored() throws {
        let notes = try read(["--handler_encoding", "utf-16"]).settings.notes
        #expect(notes == ["--handler_encoding 'utf-16' is ignored: Swift files are always UTF-8"])
    }
}
