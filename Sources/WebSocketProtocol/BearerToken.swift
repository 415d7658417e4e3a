import HTTPProtocol

/// A token by which a client says who it is (RFC 6750).
///
/// Browsers cannot set `Authorization` for a WebSocket. Their pages offer the token as a
/// subprotocol instead, in one of two spellings:
///
/// | offered                                         | token                             |
/// | ----------------------------------------------- | --------------------------------- |
/// | `bearer, TOKEN`                                 | what is offered behind `bearer`   |
/// | `base64url.bearer.authorization.k8s.io.LETTERS` | base64url of it, as in Kubernetes |
///
/// Such an offer is no subprotocol: it is neither answered nor logged.
public enum BearerToken {
    private static let label = "bearer"
    private static let prefix = "base64url.bearer.authorization.k8s.io."

    /// `Bearer mF_9.B5f-4.1JqM`, the value of an `Authorization` field (RFC 6750 §2.1).
    ///
    /// - Returns: `nil` for another scheme, or what is not of the grammar of a token.
    public static func token(inAuthorization value: String) -> String? {
        let parts = value.split(separator: " ", maxSplits: 1)
        guard parts.count == 2, HeaderGrammar.equalsIgnoringCase(String(parts[0]), "Bearer") else {
            return nil
        }
        let token = String(parts[1].drop { $0 == " " })
        return isToken(token) ? token : nil
    }

    /// The first token among the subprotocols that a client offers, and those that are none.
    ///
    /// - Parameter offers: in the client's order.
    public static func separated(
        from offers: [String]
    ) -> (token: String?, subprotocols: [String]) {
        var token: String?
        var subprotocols: [String] = []
        var isBehindLabel = false
        for offer in offers {
            if offer.utf8.starts(with: prefix.utf8) {
                token = token ?? decoded(offer.utf8.dropFirst(prefix.utf8.count))
                isBehindLabel = false
            } else if isBehindLabel {
                token = token ?? offer
                isBehindLabel = false
            } else {
                subprotocols.append(offer)
                isBehindLabel = HeaderGrammar.equalsIgnoringCase(offer, label)
            }
        }
        return (token, subprotocols)
    }

    /// Base64 with the letters of RFC 4648 §5, without padding.
    private static func decoded(_ letters: some Collection<UInt8>) -> String? {
        var text = letters.map { letter in
            switch letter {
            case UInt8(ascii: "-"): UInt8(ascii: "+")
            case UInt8(ascii: "_"): UInt8(ascii: "/")
            default: letter
            }
        }
        while !text.count.isMultiple(of: 4) { text.append(UInt8(ascii: "=")) }
        guard !text.isEmpty, let bytes = Base64.decoded(text),
            let token = String(validating: bytes, as: UTF8.self)
        else { return nil }
        return token.isEmpty ? nil : token
    }

    /// RFC 6750 §2.1: `b64token = 1*( ALPHA / DIGIT / "-" / "." / "_" / "~" / "+" / "/" ) *"="`.
    private static func isToken(_ text: String) -> Bool {
        var isPadding = false
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "="): isPadding = true
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."),
                UInt8(ascii: "_"), UInt8(ascii: "~"), UInt8(ascii: "+"), UInt8(ascii: "/"):
                if isPadding { return false }
            default: return false
            }
        }
        return text.utf8.first.map { $0 != UInt8(ascii: "=") } ?? false
    }
}
