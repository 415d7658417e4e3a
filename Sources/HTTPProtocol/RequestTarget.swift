/// A host with an optional port, as in a Host field or an absolute request target.
///
/// RFC 9110 §7.2: `Host = uri-host [ ":" port ]`.
public struct Authority: Sendable, Hashable {
    /// In small letters; an IPv6 address keeps its brackets.
    public let host: String
    /// `nil` if there is none, also in `host:`.
    public let port: Int?

    /// - Returns: `nil` if the text is empty, has user information, or does not follow the grammar.
    public init?(_ text: some StringProtocol) {
        let bytes = Array(text.utf8)
        guard let (hostEnd, port) = Self.parts(bytes.span) else { return nil }
        self.port = port
        host = String(decoding: bytes[..<hostEnd].map(Byte.lowercase), as: UTF8.self)
    }

    /// Whether the bytes follow the grammar.
    static func isValid(_ bytes: Span<UInt8>) -> Bool { parts(bytes) != nil }

    private static func parts(_ bytes: Span<UInt8>) -> (hostEnd: Int, port: Int?)? {
        guard let hostEnd = hostEnd(bytes), hostEnd > 0,
            let port = port(bytes.extracting(hostEnd..<bytes.count))
        else { return nil }
        return (hostEnd, port)
    }

    /// RFC 3986 §3.2.2: `host = IP-literal / IPv4address / reg-name`, and
    /// `IP-literal = "[" ( IPv6address / IPvFuture ) "]"`, here any of their characters.
    private static func hostEnd(_ bytes: Span<UInt8>) -> Int? {
        if !bytes.isEmpty && bytes[0] == UInt8(ascii: "[") {
            guard let end = bytes.firstIndex(of: UInt8(ascii: "]")), end > 1,
                bytes.extracting(1..<end).allSatisfy({
                    isRegisteredNameByte($0) || $0 == Byte.colon
                })
            else { return nil }
            return end + 1
        }
        let end = bytes.firstIndex(of: Byte.colon) ?? bytes.count
        return bytes.extracting(..<end).allSatisfy(isRegisteredNameByte) ? end : nil
    }

    /// - Returns: `nil` if it is not `[ ":" *DIGIT ]` with a number below 65,536.
    private static func port(_ bytes: Span<UInt8>) -> Int?? {
        if bytes.isEmpty { return .some(nil) }
        guard bytes[0] == Byte.colon else { return nil }
        if bytes.count == 1 { return .some(nil) }
        var number = 0
        for index in 1..<bytes.count {
            guard Byte.isDigit(bytes[index]) else { return nil }
            number = number * 10 + Int(bytes[index] - Byte.zero)
            guard number <= 65_535 else { return nil }
        }
        return .some(number)
    }

    /// RFC 3986 §3.2.2: `reg-name = *( unreserved / pct-encoded / sub-delims )`.
    private static func isRegisteredNameByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"),
            UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "~"),
            UInt8(ascii: "%"), UInt8(ascii: "!"), UInt8(ascii: "$"), UInt8(ascii: "&"),
            UInt8(ascii: "'"), UInt8(ascii: "("), UInt8(ascii: ")"), UInt8(ascii: "*"),
            UInt8(ascii: "+"), UInt8(ascii: ","), UInt8(ascii: ";"), UInt8(ascii: "="):
            true
        default:
            false
        }
    }
}

/// A request target taken apart (RFC 9112 §3.2), nothing decoded.
public struct RequestTarget: Sendable, Hashable {
    /// The whole of it.
    public let raw: String
    /// Begins with "/"; still percent-encoded.
    public let path: String
    /// After the "?"; `nil` if there is none.
    public let query: String?
    /// After the "#"; `nil` if there is none. A request ought not to have one (RFC 9112 §3.2.1).
    public let fragment: String?
    /// `http`, `https`, `ws` or `wss` of the absolute form; `nil` for the origin form.
    public let scheme: String?
    /// The authority of the absolute form, which comes before the Host field (RFC 9112 §3.2.2).
    public let authority: String?

    /// - Returns: `nil` for the authority form and the asterisk form, which name no resource, for
    ///   an absolute form with another scheme or a malformed authority, and for what has no form.
    public init?(_ raw: String) {
        self.raw = raw
        if Self.isPath(raw) {
            (path, query, fragment, scheme, authority) = (raw, nil, nil, nil, nil)
            return
        }
        // The fragment goes first: a "?" after the "#" belongs to it.
        let (beforeFragment, fragment) = Self.cut(raw[...], at: "#")
        let (resource, query) = Self.cut(beforeFragment, at: "?")
        self.fragment = fragment.map(String.init)
        self.query = query.map(String.init)
        if resource.utf8.first == Byte.slash {
            scheme = nil
            authority = nil
            path = String(resource)
            return
        }
        guard let absolute = Self.absolute(resource) else { return nil }
        (scheme, authority, path) = absolute
    }

    /// Whether it is a path and nothing else, as most targets are.
    private static func isPath(_ raw: String) -> Bool {
        let bytes = raw.utf8.span
        guard !bytes.isEmpty, bytes[0] == Byte.slash else { return false }
        return bytes.allSatisfy { $0 != UInt8(ascii: "?") && $0 != UInt8(ascii: "#") }
    }

    private static func absolute(_ text: Substring) -> (String?, String?, String)? {
        let (name, afterName) = cut(text, at: ":")
        let scheme = ["http", "https", "ws", "wss"].first {
            HeaderGrammar.equalsIgnoringCase($0, String(name))
        }
        guard let scheme, let rest = afterName, rest.utf8.starts(with: "//".utf8) else {
            return nil
        }
        let hierarchy = Substring(rest.utf8.dropFirst(2))
        let pathStart = hierarchy.utf8.firstIndex(of: Byte.slash) ?? hierarchy.endIndex
        let authority = hierarchy[..<pathStart]
        let path = hierarchy[pathStart...]
        guard Authority(authority) != nil else { return nil }
        return (scheme, String(authority), path.isEmpty ? "/" : String(path))
    }

    private static func cut(
        _ text: Substring, at separator: Unicode.Scalar
    ) -> (Substring, Substring?) {
        guard let index = text.utf8.firstIndex(of: UInt8(ascii: separator)) else {
            return (text, nil)
        }
        return (text[..<index], text[text.utf8.index(after: index)...])
    }
}
