import EventLoop
import HTTPProtocol

/// What trusted proxies say about the client of a request.
public struct ForwardedClient: Sendable, Hashable {
    /// With port 0 where no proxy named one.
    public var address: SocketAddress
    /// Whether the client's connection is encrypted; `nil`: they do not say.
    public var isSecure: Bool?
    /// The server as the client named it, `host` or `host:port`; `nil`: they do not say.
    public var authority: String?
}

/// The header fields in which proxies say who the client is.
public enum ProxyHeaders: String, Sendable, Hashable, CaseIterable {
    /// `X-Forwarded-For`, `-Proto` and `-Host`, as most proxies write them.
    case xForwarded = "x-forwarded"
    /// `Forwarded` (RFC 7239).
    case forwarded
}

extension TrustedProxies {
    /// What the fields of a request say that came from `peer`.
    ///
    /// Each proxy adds the address of whoever asked it at the end. So the list is walked from
    /// there: what a trusted proxy added is believed, and its addition names the next one. The
    /// first address that is not a trusted proxy's is the client's. Whatever stands before it is
    /// the client's own word.
    ///
    /// - Returns: `nil` if the peer is not trusted, or no proxy names an address.
    public func client(
        of fields: Fields, from peer: SocketAddress, _ headers: ProxyHeaders
    ) -> ForwardedClient? {
        guard contain(peer) else { return nil }
        let hops: [ForwardedHop]
        switch headers {
        case .xForwarded: hops = ForwardedHop.xForwarded(fields)
        case .forwarded: hops = ForwardedHop.forwarded(fields)
        }
        var client: ForwardedClient?
        for hop in hops.suffix(Self.hopCountLimit).reversed() {
            // `unknown`, a name that hides one (RFC 7239 §6.3), or nonsense: the one before may be
            // anybody's word.
            guard let address = hop.address else { break }
            client = ForwardedClient(
                address: address, isSecure: hop.isSecure, authority: hop.authority)
            if !contain(address) { break }
        }
        return client
    }

    /// Proxies between a client and this server that are looked at.
    static let hopCountLimit = 32
}
