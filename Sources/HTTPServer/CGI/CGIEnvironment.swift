import EventLoop
import Glibc
import HTTPProtocol

/// A script and what is left of the path that led to it (RFC 3875 §3.3).
struct CGIScript {
    /// Absolute, links resolved.
    let file: String
    /// `SCRIPT_NAME`, percent-decoded.
    let name: String
    /// `PATH_INFO`, percent-decoded; empty, or begins with a slash.
    let pathInfo: String
}

/// What a request is to a script: RFC 3875 §4.1.
struct CGIEnvironment {
    let request: Request
    let script: CGIScript
    let documentRoot: String
    let local: SocketAddress?
    let remote: SocketAddress
    let isSecure: Bool

    private var head: RequestHead { request.head }

    /// `NAME=value`.
    func variables(bodyByteCount: Int) -> [String] {
        var values: [(String, String)] = [
            ("GATEWAY_INTERFACE", "CGI/1.1"),
            ("SERVER_SOFTWARE", "WebSocketHost"),
            ("SERVER_PROTOCOL", "\(head.version)"),
            ("SERVER_NAME", serverName),
            ("SERVER_PORT", "\(local?.port ?? 0)"),
            ("REQUEST_METHOD", head.method),
            ("REQUEST_URI", head.target),
            ("SCRIPT_NAME", (request.base?.description ?? "") + script.name),
            ("SCRIPT_FILENAME", script.file),
            ("DOCUMENT_ROOT", documentRoot),
            ("QUERY_STRING", request.query ?? ""),
            ("REMOTE_ADDR", remote.host),
            ("REMOTE_HOST", remote.host),
            ("REMOTE_PORT", "\(remote.port)"),
            ("PATH", getenv("PATH").map { String(cString: $0) } ?? "/usr/local/bin:/usr/bin:/bin"),
        ]
        if !script.pathInfo.isEmpty {
            values.append(("PATH_INFO", script.pathInfo))
            values.append(("PATH_TRANSLATED", documentRoot + script.pathInfo))
        }
        if let user = request.user {
            values.append(("AUTH_TYPE", "Basic"))
            values.append(("REMOTE_USER", user))
        }
        if isSecure { values.append(("HTTPS", "on")) }
        if head.hasBody { values.append(("CONTENT_LENGTH", "\(bodyByteCount)")) }
        if let type = head.fields["Content-Type"] { values.append(("CONTENT_TYPE", type)) }
        return (values + fieldVariables).map { "\($0)=\($1)" }
    }

    /// RFC 3875 §4.1.14: "the name without its port", as the client named it.
    private var serverName: String {
        head.host.flatMap { Authority($0)?.host } ?? localName ?? "localhost"
    }

    /// A path of a Unix-domain socket is no name of a server.
    private var localName: String? { local?.family == .unix ? nil : local?.host }

    /// RFC 3875 §4.1.18
    private var fieldVariables: [(String, String)] {
        let hidden = CGIVariables.ofContentAndConnection.union(CGIVariables.ofCredentials)
        return CGIVariables.ofFields(head.fields, without: hidden)
    }
}
