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
            ("SCRIPT_NAME", script.name),
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
        head.host.flatMap { Authority($0)?.host } ?? local?.host ?? "localhost"
    }

    /// RFC 3875 §4.1.18: `HTTP_` and the field's name in capitals.
    ///
    /// Left out are: `Proxy`, which would be taken for the setting `HTTP_PROXY` (CVE-2016-5385);
    /// the password; what another variable has or belongs to the connection; and names with other
    /// characters than letters, digits and hyphens, since `X_A` and `X-A` would become the same.
    private var fieldVariables: [(String, String)] {
        var seen: Set<String> = []
        return head.fields.compactMap { field in
            let name = field.name.lowercased()
            guard !Self.hiddenFields.contains(name), name.utf8.allSatisfy(Self.isPlain),
                seen.insert(name).inserted, let value = value(of: name)
            else { return nil }
            let variable = String(name.uppercased().map { $0 == "-" ? "_" : $0 })
            return ("HTTP_" + variable, value)
        }
    }

    private func value(of name: String) -> String? {
        // RFC 6265 §5.4 allows one line; two are joined as HTTP/2 does.
        name == "cookie" ? head.fields.values(of: name).joined(separator: "; ") : head.fields[name]
    }

    private static let hiddenFields: Set<String> = [
        "proxy", "authorization", "proxy-authorization", "content-length", "content-type",
        "connection",
        "keep-alive", "te", "trailer", "transfer-encoding", "upgrade", "expect",
    ]

    private static func isPlain(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
            UInt8(ascii: "-"):
            true
        default:
            false
        }
    }
}
