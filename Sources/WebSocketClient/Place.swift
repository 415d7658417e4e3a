import HTTPProtocol

/// The server and resource of a URL (RFC 6455 §3).
struct Place: Sendable {
    /// A name or an address, without brackets: `example.com`, `fe80::1`.
    let host: String
    /// The zone of an IPv6 address, such as `eth0` in `[fe80::1%25eth0]` (RFC 6874). It means
    /// something on this machine only, and is not sent.
    let zone: String?
    let port: UInt16
    /// `wss:`.
    let isSecure: Bool
    /// As in the Host field: with the port unless it is the default one, and without a zone.
    let authority: String
    /// Path and query.
    let target: String
    /// From `user:password@`.
    let credentials: BasicCredentials?

    init(_ url: String) throws(ConnectError) {
        guard let split = URLCredentials(url), let parsed = RequestTarget(split.bareURL),
            ["ws", "wss"].contains(parsed.scheme), parsed.fragment == nil,
            let text = parsed.authority, let authority = Authority(text),
            let port = UInt16(exactly: authority.port ?? Self.defaultPort(parsed.scheme)),
            port != 0, let (name, zone) = Self.zone(of: text, authority)
        else { throw .invalidURL(url) }
        isSecure = parsed.scheme == "wss"
        host = name.hasPrefix("[") ? String(name.dropFirst().dropLast()) : name
        self.zone = zone
        self.port = port
        self.authority = port == Self.defaultPort(parsed.scheme) ? name : "\(name):\(port)"
        target = parsed.path + (parsed.query.map { "?\($0)" } ?? "")
        credentials = split.credentials
    }

    /// The host without its zone, and the zone. That may have capital letters, which ``Authority``
    /// makes small, so it is taken from the text.
    ///
    /// - Returns: `nil` for an empty or malformed zone.
    private static func zone(of text: String, _ authority: Authority) -> (String, zone: String?)? {
        guard authority.host.hasPrefix("["), let mark = authority.host.firstRange(of: "%") else {
            return (authority.host, nil)
        }
        guard authority.host[mark.lowerBound...].hasPrefix("%25"),
            let start = text.firstRange(of: "%25"), let end = text.lastIndex(of: "]"),
            let zone = ResourcePath.percentDecoded(String(text[start.upperBound..<end])),
            !zone.isEmpty
        else { return nil }
        return (String(authority.host[..<mark.lowerBound]) + "]", zone)
    }

    private static func defaultPort(_ scheme: String?) -> Int { scheme == "wss" ? 443 : 80 }
}
