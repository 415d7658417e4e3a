/// A validator for one representation (RFC 9110 §8.8.3): `"xyzzy"`, `W/"xyzzy"`.
public struct EntityTag: Sendable, Hashable, CustomStringConvertible {
    /// What stands between the quotes.
    public let opaque: String
    /// Weak: equal ones mean the same, though the bytes may differ.
    public let isWeak: Bool

    /// A tag of our own making; `opaque` has to follow `etagc`.
    public init(_ opaque: String, isWeak: Bool = false) {
        self.opaque = opaque
        self.isWeak = isWeak
    }

    /// Reads `entity-tag = [ weak ] opaque-tag`; `nil` for anything else.
    public init?(parsing text: some StringProtocol) {
        var rest = Substring(text)
        isWeak = rest.hasPrefix("W/")
        if isWeak { rest = rest.dropFirst(2) }
        guard rest.utf8.count >= 2, rest.hasPrefix("\""), rest.hasSuffix("\"") else { return nil }
        let inner = rest.dropFirst().dropLast()
        guard inner.utf8.allSatisfy(Self.isTagByte) else { return nil }
        opaque = String(inner)
    }

    public var description: String { (isWeak ? "W/\"" : "\"") + opaque + "\"" }

    /// RFC 9110 §8.8.3.2: both are strong and the same.
    public func matchesStrongly(_ other: EntityTag) -> Bool {
        !isWeak && !other.isWeak && opaque == other.opaque
    }

    /// RFC 9110 §8.8.3.2: the same, be they weak or not.
    public func matchesWeakly(_ other: EntityTag) -> Bool { opaque == other.opaque }

    /// `etagc = %x21 / %x23-7E / obs-text`.
    private static func isTagByte(_ byte: UInt8) -> Bool {
        byte >= 0x21 && byte != Byte.quote && byte != 0x7F
    }

    /// The tags of a list. A comma may stand within a tag, and a backslash means itself there, so
    /// this is no `HeaderGrammar.elements`.
    static func list(_ value: String) -> [EntityTag]? {
        var tags: [EntityTag] = []
        var rest = value.utf8[...]
        while true {
            while let byte = rest.first, Byte.isWhitespace(byte) || byte == Byte.comma {
                rest.removeFirst()
            }
            if rest.isEmpty { return tags }
            guard let opening = rest.firstIndex(of: Byte.quote),
                let closing = rest[rest.index(after: opening)...].firstIndex(of: Byte.quote),
                let tag = EntityTag(parsing: Substring(rest[...closing]))
            else { return nil }
            tags.append(tag)
            rest = rest[rest.index(after: closing)...]
            let next = rest.first { !Byte.isWhitespace($0) }
            guard next == nil || next == Byte.comma else { return nil }
        }
    }
}
