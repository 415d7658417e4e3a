/// What both ends agreed on, and who the other one is.
///
/// One reference, whatever is in it: handshakes are copied about, and most have none.
public struct TLSInfo: Sendable, Hashable, CustomStringConvertible {
    private let values: Values

    /// What ``TLSInfo`` gives out.
    struct Content: Hashable, Sendable {
        var version = ""
        var cipher = ""
        var serverName: String?
        var alpn: String?
        var isResumed = false
        var peerSubject: String?
        var peerSubjectAlternativeNames: [String] = []
    }

    private final class Values: Sendable {
        let content: Content
        init(_ content: Content) { self.content = content }
    }

    init(_ content: Content) { values = Values(content) }

    /// Facts made up, for tests of what goes by them.
    package init(
        version: String, cipher: String, serverName: String?, peerSubject: String?,
        peerSubjectAlternativeNames: [String]
    ) {
        self.init(
            Content(
                version: version, cipher: cipher, serverName: serverName, peerSubject: peerSubject,
                peerSubjectAlternativeNames: peerSubjectAlternativeNames))
    }

    /// `TLSv1.2` or `TLSv1.3`.
    public var version: String { values.content.version }
    /// The cipher suite's name in its RFC: `TLS_AES_256_GCM_SHA384`.
    public var cipher: String { values.content.cipher }
    /// The host that the client asked for (SNI), as sent; anything may stand there.
    public var serverName: String? { values.content.serverName }
    /// `http/1.1`, or `nil` if the client knows no ALPN.
    public var alpn: String? { values.content.alpn }
    /// Whether the keys of an earlier connection were used again.
    public var isResumed: Bool { values.content.isResumed }
    /// The subject of the other end's certificate: `CN=alice,O=Example` (RFC 4514); `nil` if it
    /// showed none.
    ///
    /// A server has checked it against the CAs of its clients, a client against those it trusts, if
    /// any.
    public var peerSubject: String? { values.content.peerSubject }
    /// Of the same certificate: `DNS:example.com`, `IP:192.0.2.1`, `email:a@example.com`, `URI:…`;
    /// other kinds are left out.
    public var peerSubjectAlternativeNames: [String] { values.content.peerSubjectAlternativeNames }

    public static func == (a: Self, b: Self) -> Bool { a.values.content == b.values.content }
    public func hash(into hasher: inout Hasher) { hasher.combine(values.content) }

    public var description: String { "\(version) \(cipher)" }
}
