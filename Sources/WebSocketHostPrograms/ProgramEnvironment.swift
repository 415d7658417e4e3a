import EventLoop
import Glibc
import HTTPProtocol
import WebSocketHost

/// What a connection is to a program: the variables that websocketd sets (RFC 3875 §4.1).
struct ProgramEnvironment {
    private var values: [(String, String)] = [
        ("GATEWAY_INTERFACE", "CGI/1.1"), ("SERVER_SOFTWARE", "WebSocketHost"),
    ]

    /// Of one that runs for a connection.
    init(_ socket: WebSocket, route: String) {
        self.init(route: route)
        let request = socket.request
        let authority = request.fields["Host"].flatMap { Authority($0) }
        // A path of a Unix-domain socket is no name of a server.
        let local = request.localAddress
        let localName = local?.family == .unix ? nil : local?.host
        let port = authority?.port ?? (local?.port).map(Int.init) ?? 0
        values += [
            ("SERVER_NAME", authority?.host ?? localName ?? "localhost"),
            ("SERVER_PORT", "\(port)"),
            // RFC 6455 §4.1: nothing else asks for a WebSocket.
            ("SERVER_PROTOCOL", "HTTP/1.1"),
            ("REQUEST_METHOD", "GET"),
            ("REQUEST_URI", request.target),
            ("PATH_TRANSLATED", request.path),
            ("QUERY_STRING", request.rawQuery ?? ""),
            ("REMOTE_ADDR", request.remoteAddress.host),
            ("REMOTE_HOST", request.remoteAddress.host),
            ("REMOTE_PORT", "\(request.remoteAddress.port)"),
            ("AUTH_TYPE", request.user == nil ? "" : "Basic"),
            ("REMOTE_USER", request.user ?? ""),
            ("UNIQUE_ID", "\(getpid())-\(socket.id)"),
        ]
        if request.isSecure { values.append(("HTTPS", "on")) }
        // The server that asked for a password keeps it; else it is for the program.
        let hidden = request.user == nil ? [] : CGIVariables.ofCredentials
        values += CGIVariables.ofFields(request.fields, without: hidden)
    }

    /// Of one that runs for all connections of a path.
    init(route: String) {
        values += [
            ("SCRIPT_NAME", route), ("PATH_INFO", ""),
            // Set though empty, so that nothing is taken for them.
            ("CONTENT_LENGTH", ""), ("CONTENT_TYPE", ""), ("REMOTE_IDENT", ""),
        ]
    }

    /// `NAME=value`, each name once: what the settings say comes first, then what the connection
    /// is, then what is passed on.
    func variables(_ settings: ProgramSettings) -> [String] {
        var named: Set<String> = []
        // What says something about the connection comes from nowhere else.
        let passed = settings.passedVariables.filter {
            $0 != "HTTPS" && !$0.hasPrefix("HTTP_")
        }.compactMap { name in
            getenv(name).map { (name, String(cString: $0)) }
        }
        let own = settings.environment.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
        return (own + values + passed).compactMap { name, value in
            named.insert(name).inserted ? "\(name)=\(value)" : nil
        }
    }
}

extension HandshakeRequest {
    /// The path as clients know it, with that of `--base-path`.
    var scriptName: String {
        RequestTarget(target).flatMap { ResourcePath.percentDecoded($0.path) } ?? path
    }
}
