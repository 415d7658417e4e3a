import EventLoop
import HTTPProtocol
import HTTPServer
import Topics
import WebSocketConnection
import WebSocketProtocol

/// A request that is no handshake, for the hook `http` of a handler. Its body has come whole.
public struct HTTPRequest: Sendable {
    /// As sent: `GET`, `POST`; case matters (RFC 9110 §9.1).
    public let method: String
    /// The request target as sent: path, query and all.
    public let target: String
    /// The path, percent-decoded: the handler's.
    public let path: String
    /// What stands behind the first `?` of the target, as sent; `nil` without one.
    public let rawQuery: String?
    /// The header fields as sent.
    public let fields: Fields
    /// The content without its framing: chunks are joined. Empty if there is none. At most the
    /// route's `maxBodySize` bytes.
    public let body: [UInt8]
    /// The client's address: the other end of the TCP connection, or what a trusted proxy in front
    /// says, with port 0 where it names none.
    public let remoteAddress: SocketAddress
    /// The other end of the TCP connection: the proxy's, if there is one.
    public let peerAddress: SocketAddress
    /// This end of it; `nil` if the kernel no longer reports it.
    public let localAddress: SocketAddress?
    /// Whether the client's connection is encrypted: this one, or as a trusted proxy says the one
    /// to it.
    public let isSecure: Bool
    /// Version, cipher and the other end's certificate; `nil` without TLS.
    public let tls: TLSInfo?
    /// Who asks, if the server asks for a name and a password (RFC 7617); `nil` if it does not.
    public let user: String?
    /// The topics of the server, to publish to, or to count who listens.
    public let topics: TopicBroker
    private let endpoint: Endpoint

    init(
        _ request: Request, body: [UInt8], _ exchange: Exchange, _ endpoint: Endpoint,
        _ topics: TopicBroker, _ configuration: Configuration
    ) {
        method = request.head.method
        target = request.head.target
        path = request.path
        rawQuery = request.query
        fields = request.head.fields.trimmed()
        self.body = body
        remoteAddress = exchange.address(of: request)
        peerAddress = configuration.proxy(of: request, exchange)?.address ?? remoteAddress
        isSecure = exchange.isSecure(request)
        localAddress = exchange.localAddress
        tls = exchange.stream.tlsInfo
        user = request.user
        self.topics = topics
        self.endpoint = endpoint
    }
}

extension HTTPRequest {
    /// The names and values behind the `?`, or empty.
    public var query: Query { Query(rawQuery ?? "") }
    /// The cookies that the client sent (RFC 6265 §5.4).
    public var cookies: Cookies { Cookies(fields) }
    /// The body as text; `nil` if it is not UTF-8, whatever its `Content-Type` says.
    public var text: String? { String(validating: body, as: UTF8.self) }
    /// What a browser says about the page that asks; `nil` from most other clients.
    public var origin: String? { fields["Origin"] }
    /// The token of `Authorization: Bearer` (RFC 6750 §2.1); `nil` without one. It is not checked.
    public var bearerToken: String? {
        fields["Authorization"].flatMap { BearerToken.token(inAuthorization: $0) }
    }
    /// The server's log; lines written here have the route and the other end's address in front.
    public var log: ConnectionLog { ConnectionLog(endpoint, peer: remoteAddress, id: nil) }
}
