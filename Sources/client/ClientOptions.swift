import CommandLineOptions
import EventLoop
import HTTPProtocol
import WebSocketClient

typealias ClientOption = Option<ClientSettings>

/// All options, in the order in which the help explains them.
enum ClientOptions {
    static let table = OptionTable<ClientSettings>([
        ("The server, in place of a URL", parts), ("Handshake", handshake), ("TLS", tls),
        ("One shot: send, receive, close", script), ("Input and output", output),
        ("Limits, compression, information", others),
    ])

    /// - Throws: for an option that is wrong, or options that do not go together.
    static func read(_ arguments: [String]) throws(UsageError) -> ClientSettings {
        let line = try table.read(arguments, takesOperands: true)
        var settings = ClientSettings()
        // --help works even if other options are wrong.
        settings.showsHelp = line.assignments.contains { $0.option.name == "help" }
        settings.showsVersion = line.assignments.contains { $0.option.name == "version" }
        if settings.showsHelp || settings.showsVersion { return settings }
        for assignment in line.assignments { try assignment.apply(to: &settings) }
        if line.operands.count > 1 {
            throw UsageError("give one URL only; '\(escaped(line.operands[1]))' is the second")
        }
        settings.address.url = line.operands.first
        try check(&settings)
        return settings
    }

    private static func check(_ settings: inout ClientSettings) throws(UsageError) {
        _ = try settings.address.resolved
        if let count = settings.script.receiveCount, count < settings.script.expected.count {
            throw UsageError("--receive \(count) is less than the number of messages in --expect")
        }
        switch (settings.certificate, settings.privateKey) {
        case (nil, nil): break
        case (let certificate?, let privateKey?):
            settings.configuration.tls.identity = .files(
                certificate: certificate, privateKey: privateKey)
        default: throw UsageError("--certificate and --private-key must be given together")
        }
        do throws(FieldError) {
            _ = try settings.fields
        } catch {
            throw UsageError("--cookie: \(escaped("\(error)"))")
        }
    }

    static let shortUsage = """
        usage: ./standalone.sh client URL [options]
               ./standalone.sh client --help explains all options
        """

    static var help: String {
        """
        A WebSocket client for people and scripts.

        usage: ./standalone.sh client ws://localhost:9998/echo [options]

        Without an option of "One shot", each line of standard input is sent as a text message, and
        what the server sends is printed. The end of the input (Ctrl-D) closes the connection.
        Lines that begin with / are commands; they are listed below.

        """ + table.help + """

            Commands
            \(LineCommand.list)

            Exit codes: 0 closed cleanly; 1 connection lost, or closed by the server with a code
            other than 1000 or 1001; 2 wrong arguments; 3 cannot connect; 4 handshake refused;
            5 --expect or --receive not met; 6 time-out; 130 SIGINT (Ctrl-C), 143 SIGTERM: the first
            signal closes with 1001, the second ends the program at once.
            """
    }
}

// MARK: - The connection

extension ClientOptions {
    static let parts: [ClientOption] = [
        ClientOption(name: "server-host", letter: "s", value: "HOST", help: "default localhost") {
            settings, text, option throws(UsageError) in
            settings.address.host = try Values.host(text, option)
        },
        ClientOption(
            name: "server-port", letter: "p", value: "PORT", help: "default 80, with -t 443"
        ) {
            settings, text, option throws(UsageError) in
            settings.address.port = try Values.integer(text, 1...65_535, option)
        },
        ClientOption(name: "resource", letter: "r", value: "PATH", help: "default /echo") {
            settings, text, _ in settings.address.resource = text
        },
        ClientOption(name: "tls", letter: "t", help: "wss:// in place of ws://") {
            settings, _, _ in settings.address.usesTLS = true
        },
    ]

    static let handshake: [ClientOption] = [
        ClientOption(
            name: "origin", letter: "o", value: "ORIGIN",
            help: "the Origin field; browsers send the origin of the page"
        ) {
            settings, text, _ in settings.origin = text
        },
        ClientOption(
            name: "subprotocol", value: "NAME",
            help: "a subprotocol to offer; may be repeated, in order of preference"
        ) {
            settings, text, _ in settings.subprotocols.append(text)
        },
        ClientOption(
            name: "header", value: "LINE",
            help: "'Name: value', an additional field; may be repeated"
        ) {
            settings, text, option throws(UsageError) in
            let (name, value) = try HeaderLine.parse(text, option)
            do throws(FieldError) {
                try settings.headerFields.append(name, value)
            } catch {
                throw UsageError("\(option): \(escaped("\(error)"))")
            }
        },
        ClientOption(name: "cookie", value: "NAME=VALUE", help: "a cookie to send; may be repeated")
        {
            settings, text, option throws(UsageError) in
            guard text.contains("="), !text.hasPrefix("=") else {
                throw UsageError("\(option): '\(escaped(text))' is not NAME=VALUE")
            }
            settings.cookies.append(text)
        },
    ]

    static let tls: [ClientOption] = [
        ClientOption(
            name: "ca", value: "FILE",
            help:
                "PEM: trust only these CAs, or this self-signed certificate; default: the CAs of "
                + "this machine"
        ) { settings, text, _ in settings.configuration.tls.trust = .file(text) },
        ClientOption(
            name: "insecure",
            help: "for tests: accept any certificate, even an attacker's"
        ) {
            settings, _, _ in settings.configuration.tls.trust = .anyCertificate
        },
        ClientOption(
            name: "server-name", value: "HOST",
            help: "the name that the certificate must have; default: the URL's host"
        ) { settings, text, option throws(UsageError) in
            settings.configuration.tls.serverName = try Values.host(text, option)
        },
        ClientOption(
            name: "certificate", value: "FILE",
            help: "PEM: a certificate for servers that ask for one"
        ) {
            settings, text, _ in settings.certificate = text
        },
        ClientOption(
            name: "private-key", value: "FILE",
            help: "PEM: the key of --certificate, without a passphrase"
        ) {
            settings, text, _ in settings.privateKey = text
        },
    ]
}
