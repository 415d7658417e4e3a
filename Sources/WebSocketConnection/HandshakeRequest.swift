import EventLoop
import HTTPProtocol
import WebSocketProtocol

/// What a client asks for in its handshake, and what the handler answers (RFC 6455 §4).
///
/// It has passed the checks of §4.2.1 when a handler sees it.
public struct HandshakeRequest: Sendable {
    /// The request target as sent: path, query and all.
    public var target: String { received.target }
    /// The path, percent-decoded.
    public var path: String { received.path }
    /// What stands behind the `?`, or empty.
    public var query: Query { received.query }
    /// The header fields as sent.
    public var fields: Fields { received.fields }
    /// What a browser says about the page that connects; other clients may leave it out or lie.
    public var origin: String? { fields["Origin"] }
    /// In the client's order of preference.
    public var offeredExtensions: [ExtensionOffer] {
        (try? OpeningHandshake.extensions(fields)) ?? []
    }
    /// The client's address: the other end of the TCP connection, or what a trusted proxy in front
    /// says, with port 0 where it names none.
    public var remoteAddress: SocketAddress { received.remoteAddress }
    /// The other end of the TCP connection: the proxy's, if there is one.
    public var peerAddress: SocketAddress { extrasBox?.extras.proxy?.address ?? remoteAddress }
    /// This end of it: the address that the client chose of several; `nil` if the kernel no longer
    /// reports it.
    public var localAddress: SocketAddress? { received.localAddress }
    /// Whether the client's connection is encrypted: this one, or as a trusted proxy says the one
    /// to it.
    public var isSecure: Bool { extrasBox?.extras.proxy?.isClientSecure ?? (tls != nil) }
    /// Version, cipher and the other end's certificate; `nil` without TLS.
    public var tls: TLSInfo? { received.tls }
    /// Who connects, if the server asks for a name and a password (RFC 7617); `nil` if it does not.
    public var user: String? { extrasBox?.extras.user }

    /// The subprotocol to answer with: one that was offered, or `nil` for none. Any other is an
    /// error of the handler, and the client gets 403 (RFC 6455 §4.2.2).
    ///
    /// Browsers drop a connection when they offered some and got none (the RFC lets them choose).
    public var subprotocol: String? {
        get { extrasBox?.extras.subprotocol }
        set { extras.subprotocol = newValue }
    }
    /// False keeps compression off for this connection, whatever was offered.
    public var allowsCompression = true
    /// With ``CompressionSettings/Mode/dedicated``: the largest window of this connection, in
    /// either direction, as the base-2 logarithm of its bytes (RFC 7692 §7.1.2); `nil`: the route's
    /// ``CompressionSettings/windowBits``. It makes that smaller and never larger; less than 9 is
    /// 9.
    ///
    /// A client that does not offer `client_max_window_bits` is asked to keep nothing instead.
    public var compressionWindowBits: Int? {
        get { extrasBox?.extras.compressionWindowBits }
        set { extras.compressionWindowBits = newValue }
    }
    /// What was agreed on for compression, once the handshake was answered.
    public package(set) var compressionParameters: DeflateParameters?
    /// For tests of clients: a subprotocol to answer with that need not have been offered.
    public var unsafeSubprotocol: String? {
        get { extrasBox?.extras.unsafeSubprotocol }
        set { extras.unsafeSubprotocol = newValue }
    }
    /// Fields to add to the answer, last and in this order.
    public var responseFields: Fields {
        get { extras.responseFields }
        set { extras.responseFields = newValue }
    }
    /// For tests of clients: sent as they are instead of the 101. Then the connection is treated as
    /// open, which only a client agrees with that takes these bytes for an answer.
    public var unsafeResponse: [UInt8]? {
        get { extrasBox?.extras.unsafeResponse }
        set { extras.unsafeResponse = newValue }
    }

    /// Made for this connection, so that it has what the first hook returned; `nil`: the route's.
    package var passiveClosingHandshake: PassiveClosingHook? {
        get { extrasBox?.extras.passiveClosingHandshake }
        set { extras.passiveClosingHandshake = newValue }
    }

    /// The route, or the client, and its log.
    package var endpoint: Endpoint { received.endpoint }

    /// The bytes under the handshake; there while `doExtraHandshake` runs.
    package var unsafeStream: (any UnsafeHandshakeStream)? {
        get { extrasBox?.extras.unsafeStream }
        set { extras.unsafeStream = newValue }
    }

    /// The cookies that the client sent (RFC 6265 §5.4).
    public var cookies: Cookies { Cookies(fields) }

    /// The request line and the field lines in their order, without line ends: names and values as
    /// they came, with one space between them.
    public var headLines: [String] {
        // RFC 6455 §4.1: no other version asks for a WebSocket.
        ["GET \(target) \(HTTPVersion.http11)"] + fields.map { "\($0.name): \($0.value)" }
    }

    /// The server's log; lines written here have the route and the other end's address in front.
    public var log: ConnectionLog { ConnectionLog(endpoint, peer: remoteAddress, id: nil) }

    package init(
        head: RequestHead, path: String, query: String?, endpoint: Endpoint,
        remoteAddress: SocketAddress, localAddress: SocketAddress?, tls: TLSInfo?,
        user: String? = nil, proxy: HandshakeProxy? = nil
    ) {
        received = Received(
            target: head.target, path: path, query: Query(query ?? ""),
            fields: head.fields.trimmed(),
            remoteAddress: remoteAddress, localAddress: localAddress, tls: tls, endpoint: endpoint)
        if user != nil || proxy != nil { extras = Extras(user: user, proxy: proxy) }
    }

    /// What never changes, in one piece of memory: a request is passed on several times.
    private final class Received: Sendable {
        let target: String
        let path: String
        let query: Query
        let fields: Fields
        let remoteAddress: SocketAddress
        let localAddress: SocketAddress?
        let tls: TLSInfo?
        let endpoint: Endpoint

        init(
            target: String, path: String, query: Query, fields: Fields,
            remoteAddress: SocketAddress,
            localAddress: SocketAddress?, tls: TLSInfo?, endpoint: Endpoint
        ) {
            self.target = target
            self.path = path
            self.query = query
            self.fields = fields
            self.remoteAddress = remoteAddress
            self.localAddress = localAddress
            self.tls = tls
            self.endpoint = endpoint
        }
    }
    private let received: Received

    /// What most handshakes lack, in memory of its own: an open connection keeps its request.
    private struct Extras: Sendable {
        var user: String?
        var proxy: HandshakeProxy?
        var subprotocol: String?
        var compressionWindowBits: Int?
        var responseFields = Fields()
        var unsafeSubprotocol: String?
        var unsafeResponse: [UInt8]?
        var unsafeStream: (any UnsafeHandshakeStream)?
        var passiveClosingHandshake: PassiveClosingHook?

        var isEmpty: Bool {
            user == nil && proxy == nil && subprotocol == nil && compressionWindowBits == nil
                && responseFields.isEmpty
                && unsafeSubprotocol == nil && unsafeResponse == nil && unsafeStream == nil
                && passiveClosingHandshake == nil
        }
    }

    /// Never changed, only replaced, so that a request is a value.
    private final class ExtrasBox: Sendable {
        let extras: Extras
        init(_ extras: Extras) { self.extras = extras }
    }
    private var extrasBox: ExtrasBox?
    private var extras: Extras {
        get { extrasBox?.extras ?? Extras() }
        set { extrasBox = newValue.isEmpty ? nil : ExtrasBox(newValue) }
    }
}

/// The proxy that passes a handshake on, and what it says of the client's connection to it.
package struct HandshakeProxy: Sendable {
    package let address: SocketAddress
    /// `nil`: it does not say.
    let isClientSecure: Bool?

    package init(address: SocketAddress, isClientSecure: Bool?) {
        self.address = address
        self.isClientSecure = isClientSecure
    }
}

// MARK: - For tests of clients

/// The connection while its handshake is being answered. From any thread.
package protocol UnsafeHandshakeStream: AnyObject, Sendable {
    nonisolated(nonsending) func unsafeWrite(_ bytes: [UInt8]) async throws(ConnectionError)
    nonisolated(nonsending) func unsafeReceive(
        timeout: Duration
    ) async throws(ConnectionError) -> [UInt8]?
}

extension HandshakeRequest {
    /// For tests of clients: bytes that go out before the answer, or instead of it if
    /// `HandshakeRejection.abort` is thrown then.
    ///
    /// - Throws: ``ConnectionError/lost`` if TCP has ended, or the handshake was answered.
    public func unsafeWrite(_ bytes: [UInt8]) async throws(ConnectionError) {
        guard let unsafeStream else { throw .lost }
        try await unsafeStream.unsafeWrite(bytes)
    }

    /// For tests of clients: what comes behind the request, which a client ought to hold back until
    /// it has its answer. Bytes that were read here are not parsed any more.
    ///
    /// - Parameter timeout: how long to wait.
    /// - Returns: at least one byte; `nil` once the client sends no more.
    /// - Throws: ``ConnectionError/timedOut``, ``ConnectionError/cancelled``,
    ///   ``ConnectionError/receiveInProgress``, or ``ConnectionError/lost`` as for
    ///   ``unsafeWrite(_:)``.
    public func unsafeReceive(
        timeout: Duration = .seconds(10)
    ) async throws(ConnectionError) -> [UInt8]? {
        guard let unsafeStream else { throw .lost }
        return try await unsafeStream.unsafeReceive(timeout: timeout)
    }
}
