import HTTPProtocol
import WebSocketProtocol

extension HandshakeRequest {
    /// What stands behind the first `?` of the target, as sent; `nil` without one. ``query`` has
    /// the names and values.
    public var rawQuery: String? {
        guard let mark = target.utf8.firstIndex(of: UInt8(ascii: "?")) else { return nil }
        return String(target[target.utf8.index(after: mark)...])
    }

    /// The token by which the client says who it is (RFC 6750): of the `Authorization` field, or
    /// else offered as a subprotocol, which is all that pages in browsers can do: see
    /// ``BearerToken``. `nil` without one. It is not checked.
    ///
    /// A token among the subprotocols is not in ``offeredSubprotocols``, and never answered.
    public var bearerToken: String? {
        if let value = fields["Authorization"],
            let token = BearerToken.token(inAuthorization: value)
        {
            return token
        }
        return separatedOffers.token
    }

    /// What the client offers, in its order of preference.
    public var offeredSubprotocols: [String] { separatedOffers.subprotocols }

    private var separatedOffers: (token: String?, subprotocols: [String]) {
        BearerToken.separated(from: (try? OpeningHandshake.subprotocols(fields)) ?? [])
    }
}
