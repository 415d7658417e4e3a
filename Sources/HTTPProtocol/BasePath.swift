/// The path below which a server is found, because a proxy has other things beside it: `/chat` of
/// `https://example.com/chat/room`. It is compared segment by segment, as percent-decoded text.
public struct BasePath: Sendable, Hashable, CustomStringConvertible {
    /// Decoded; at least one, none of them empty.
    private let segments: [String]

    /// `/chat`, without a slash at the end, which may be given.
    ///
    /// - Returns: `nil` for `/` and what is no path: it has to begin with a slash and may have
    ///   neither empty segments nor `.` and `..`, percent-encoding, a query or a fragment.
    public init?(_ text: String) {
        guard text.utf8.first == Byte.slash, text.utf8.count <= Self.byteLimit,
            text.utf8.allSatisfy({ $0 > 0x20 && $0 != 0x7F && !"%?#\\".utf8.contains($0) }),
            !ResourcePath.hasDotSegments(text)
        else { return nil }
        var rest = Substring(text).dropFirst()
        if rest.utf8.last == Byte.slash { rest.removeLast() }
        let segments = rest.split(separator: "/", omittingEmptySubsequences: false)
        guard !segments.contains(where: \.isEmpty) else { return nil }
        self.segments = segments.map(String.init)
    }

    /// 200: more than anybody has, and it is in many answers.
    public static let byteLimit = 200

    public var description: String { "/" + segments.joined(separator: "/") }

    /// As a URL has it.
    public var urlPath: String { ResourcePath.percentEncoded(description) }

    /// What stands below it.
    ///
    /// - Parameter rawPath: of a request's target, not decoded.
    /// - Returns: not decoded either; empty for the base itself without a slash; `nil`: it is
    ///   elsewhere.
    public func rest(of rawPath: String) -> String? {
        var rest = Substring(rawPath)
        for segment in segments {
            guard rest.utf8.first == Byte.slash else { return nil }
            rest = rest.dropFirst()
            let end = rest.utf8.firstIndex(of: Byte.slash) ?? rest.endIndex
            guard let name = ResourcePath.percentDecoded(String(rest[..<end])),
                name.utf8.elementsEqual(segment.utf8)
            else { return nil }
            rest = rest[end...]
        }
        return String(rest)
    }
}
