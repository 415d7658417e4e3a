import CommandLineOptions
import HTTPProtocol
import WebSocketClient
import WebSocketProtocol

/// What the command line asks for.
struct Settings: Sendable {
    var configuration = ClientConfiguration()
    var place = Place()
    var origin: String?
    var subprotocols: [String] = []
    var cookies: [String] = []
    /// `--header`
    var headerFields = Fields()
    var certificate: String?
    var privateKey: String?
    var script = Script()
    var timeout = Settings.defaultTimeout
    /// `nil`: none for a person who types, ``lingerOfPipes`` for a pipe or file.
    var linger: Duration?
    /// The longest line of standard input, without its end. 1 MiB: the longest message of a server
    /// with default limits.
    var lineByteLimit = 1 << 20
    var logLevel = LogLevel.error
    var printsJSON = false
    var showsHexadecimal = false
    var isQuiet = false
    var showsHelp = false
    var showsVersion = false

    /// pywebsocket3's.
    static let defaultTimeout: Duration = .seconds(10)
    /// Long enough for a server in another country to answer the last line.
    static let lingerOfPipes: Duration = .milliseconds(500)

    /// The request's fields that are not of the handshake.
    var fields: Fields {
        get throws(FieldError) {
            var fields = headerFields
            // RFC 6265 §5.4: one Cookie field for all.
            if !cookies.isEmpty { try fields.append("Cookie", cookies.joined(separator: "; ")) }
            return fields
        }
    }
}

/// Where the server is: a URL, or the parts of one as pywebsocket3's client takes them.
struct Place: Sendable {
    var url: String?
    var host: String?
    var port: Int?
    var resource: String?
    var usesTLS = false

    private var hasParts: Bool { host != nil || port != nil || resource != nil || usesTLS }

    /// The URL to connect to.
    ///
    /// - Throws: when there is none, or both.
    var resolved: String {
        get throws(UsageError) {
            if let url {
                if hasParts {
                    throw UsageError("give the URL, or its parts with -s, -p, -r and -t, not both")
                }
                return url
            }
            guard hasParts else {
                throw UsageError("where to? give a URL such as ws://localhost:9998/echo")
            }
            let name = host ?? "localhost"
            let isBare = name.contains(":") && !name.hasPrefix("[")
            let path = resource ?? "/echo"
            return (usesTLS ? "wss://" : "ws://") + (isBare ? "[\(name)]" : name)
                + (port.map { ":\($0)" } ?? "") + (path.hasPrefix("/") ? path : "/" + path)
        }
    }
}

/// What to do in one shot: nothing of it means that lines are read from standard input.
struct Script: Sendable, Equatable {
    /// `-m`: each waits for the answer to the one before.
    var exchanges: [String] = []
    /// `--send`, `--send-hex`: go out one after the other.
    var messages: [Message] = []
    /// `--expect`, `--expect-hex`: what has to come then, in this order.
    var expected: [Message] = []
    /// `--receive`
    var receiveCount: Int?
    var pings = false

    var isEmpty: Bool { self == Script() }

    /// How many messages to wait for behind ``messages``.
    var awaitedCount: Int { receiveCount ?? (expected.isEmpty ? messages.count : expected.count) }
}
