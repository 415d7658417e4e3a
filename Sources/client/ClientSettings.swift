import CommandLineOptions
import HTTPProtocol
import WebSocketClient
import WebSocketProtocol

/// The settings from the command line.
struct ClientSettings: Sendable {
    var configuration = ClientConfiguration()
    var address = ServerAddress()
    var origin: String?
    var subprotocols: [String] = []
    var cookies: [String] = []
    /// `--header`
    var headerFields = Fields()
    var certificate: String?
    var privateKey: String?
    var script = MessageScript()
    var timeout = ClientSettings.defaultTimeout
    /// `nil`: zero for a terminal, ``lingerOfPipes`` for a pipe or file.
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

    /// The request's fields beside those of the handshake.
    var fields: Fields {
        get throws(FieldError) {
            var fields = headerFields
            // RFC 6265 §5.4: one Cookie field for all.
            if !cookies.isEmpty { try fields.append("Cookie", cookies.joined(separator: "; ")) }
            return fields
        }
    }
}
