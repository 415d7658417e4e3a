/// One whole message (RFC 6455 §5.6): text is valid UTF-8, binary is any bytes.
public enum Message: Sendable, Hashable {
    case text(String)
    case binary([UInt8])

    /// The length of the payload as it travels: UTF-8 bytes for text.
    public var payloadByteCount: Int {
        switch self {
        case .text(let text): text.utf8.count
        case .binary(let bytes): bytes.count
        }
    }
}

extension Message {
    /// The two kinds of messages, where it is not known yet what one contains.
    public enum Kind: Sendable, Hashable {
        /// UTF-8; a piece of it may end inside a character.
        case text
        case binary

        package var opcode: Opcode {
            switch self {
            case .text: .text
            case .binary: .binary
            }
        }
    }

    public var kind: Kind {
        switch self {
        case .text: .text
        case .binary: .binary
        }
    }

    /// Whether both have the same bytes on the wire. Two ways to encode one letter differ, although
    /// Swift's strings treat them as equal.
    @inlinable
    public static func == (first: Message, second: Message) -> Bool {
        switch (first, second) {
        case (.text(let first), .text(let second)):
            // Most texts differ in length, which is known without counting.
            first.utf8.count == second.utf8.count && haveSameBytes(first, second)
        case (.binary(let first), .binary(let second)): first == second
        case (.text, .binary), (.binary, .text): false
        }
    }

    /// Compares two texts of equal length.
    @usableFromInline
    static func haveSameBytes(_ first: String, _ second: String) -> Bool {
        let (first, second) = (first.utf8Span.span.bytes, second.utf8Span.span.bytes)
        var offset = 0
        while offset + 8 <= first.byteCount {
            let word = first.unsafeLoadUnaligned(fromByteOffset: offset, as: UInt64.self)
            guard word == second.unsafeLoadUnaligned(fromByteOffset: offset, as: UInt64.self) else {
                return false
            }
            offset += 8
        }
        for offset in offset..<first.byteCount
        where first.unsafeLoad(fromByteOffset: offset, as: UInt8.self)
            != second.unsafeLoad(fromByteOffset: offset, as: UInt8.self)
        {
            return false
        }
        return true
    }
}
