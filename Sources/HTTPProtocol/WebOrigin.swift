/// The origin of a page as browsers send it, `scheme "://" host [ ":" port ]` (RFC 6454 §6.2), in
/// the form in which origins are compared.
package struct WebOrigin: Sendable, Hashable {
    private let scheme: String
    private let host: URLHost
    /// The scheme's own if none was given; `nil` for a scheme that has none.
    private let port: Int?

    /// - Returns: `nil` if the text has another form, as `null` has.
    package init?(_ text: some StringProtocol) {
        let bytes = Array(text.utf8)
        guard let colon = bytes.firstIndex(of: Byte.colon),
            bytes[(colon + 1)...].starts(with: "//".utf8),
            Self.isScheme(bytes[..<colon]),
            let authority = Authority(String(decoding: bytes[(colon + 3)...], as: UTF8.self)),
            let host = URLHost(authority.host)
        else { return nil }
        scheme = String(decoding: bytes[..<colon].map(Byte.lowercase), as: UTF8.self)
        self.host = host
        port = authority.port ?? Self.defaultPort(scheme)
    }

    /// Whether a client that names its server so asks the server of this page: the host is the
    /// same, and the port, or what stands for it in this scheme.
    ///
    /// - Parameter authority: a Host field's value; `nil`: there is none.
    package func isServed(by authority: String?) -> Bool {
        guard let authority = authority.flatMap({ Authority($0) }),
            let host = URLHost(authority.host)
        else { return false }
        return host == self.host && (authority.port ?? Self.defaultPort(scheme)) == port
    }

    /// RFC 9110 §4.2, RFC 6455 §3.
    private static func defaultPort(_ scheme: String) -> Int? {
        switch scheme {
        case "http", "ws": 80
        case "https", "wss": 443
        default: nil
        }
    }

    /// RFC 3986 §3.1: `scheme = ALPHA *( ALPHA / DIGIT / "+" / "-" / "." )`.
    private static func isScheme(_ bytes: ArraySlice<UInt8>) -> Bool {
        guard let first = bytes.first, isLetter(first) else { return false }
        return bytes.allSatisfy { byte in
            isLetter(byte) || Byte.isDigit(byte) || "+-.".utf8.contains(byte)
        }
    }

    private static func isLetter(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(Byte.lowercase(byte))
    }
}
