/// The bytes that mean something in a head.
enum Byte {
    static let tab: UInt8 = 0x09
    static let lineFeed: UInt8 = 0x0A
    static let carriageReturn: UInt8 = 0x0D
    static let space: UInt8 = 0x20
    static let quote = UInt8(ascii: "\"")
    static let percent = UInt8(ascii: "%")
    static let plus = UInt8(ascii: "+")
    static let comma = UInt8(ascii: ",")
    static let dot = UInt8(ascii: ".")
    static let slash = UInt8(ascii: "/")
    static let zero = UInt8(ascii: "0")
    static let colon = UInt8(ascii: ":")
    static let semicolon = UInt8(ascii: ";")
    static let equals = UInt8(ascii: "=")
    static let backslash = UInt8(ascii: "\\")

    static func isWhitespace(_ byte: UInt8) -> Bool {
        byte == space || byte == tab
    }

    static func isDigit(_ byte: UInt8) -> Bool {
        (zero...UInt8(ascii: "9")).contains(byte)
    }

    /// The small letter of an ASCII capital; any other byte unchanged.
    static func lowercase(_ byte: UInt8) -> UInt8 {
        (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte) ? byte | 0x20 : byte
    }

    /// The value of a hexadecimal digit.
    static func hexValue(_ byte: UInt8) -> UInt8? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
        default: nil
        }
    }

    /// The number that `1*DIGIT` writes; `nil` for anything else, a sign too, and for a number
    /// that `Int` cannot hold.
    static func number(_ digits: some Collection<UInt8>) -> Int? {
        guard !digits.isEmpty, digits.allSatisfy(isDigit) else { return nil }
        return Int(String(decoding: digits, as: UTF8.self))
    }

    /// Appends a text's bytes in one copy, which `append(contentsOf: text.utf8)` does not.
    static func append(_ text: String, to bytes: inout [UInt8]) {
        append(text.utf8.span, to: &bytes)
    }

    /// Appends the bytes in one copy.
    static func append(_ span: Span<UInt8>, to bytes: inout [UInt8]) {
        span.withUnsafeBufferPointer { bytes.append(contentsOf: $0) }
    }

    /// `bytes` without the spaces and tabs at both ends.
    static func trimmed<Bytes: BidirectionalCollection<UInt8>>(_ bytes: Bytes) -> Bytes.SubSequence
    {
        var rest = bytes[...]
        while let first = rest.first, isWhitespace(first) { rest.removeFirst() }
        while let last = rest.last, isWhitespace(last) { rest.removeLast() }
        return rest
    }
}

extension Span<UInt8> {
    /// The bytes as text: UTF-8 if they are valid UTF-8, and otherwise one character for each byte
    /// (ISO-8859-1, what RFC 9110 §5.5 calls the charset of history), so nothing is lost.
    var text: String {
        if let utf8 = try? UTF8Span(validating: self) { return String(copying: utf8) }
        var scalars = String.UnicodeScalarView()
        for index in indices { scalars.append(Unicode.Scalar(self[index])) }
        return String(scalars)
    }

    /// Where the bytes from `start` on are without the spaces and tabs at both ends.
    func trimmedRange(from start: Int = 0) -> Range<Int> {
        var (start, end) = (start, count)
        while start < end, Byte.isWhitespace(self[start]) { start += 1 }
        while start < end, Byte.isWhitespace(self[end - 1]) { end -= 1 }
        return start..<end
    }

    func allSatisfy(_ condition: (UInt8) -> Bool) -> Bool {
        for index in indices where !condition(self[index]) { return false }
        return true
    }
}

extension OutputSpan<UInt8> {
    /// Appends the bytes in one copy. There has to be room for them.
    @inline(__always)
    mutating func append(_ bytes: Span<UInt8>) {
        bytes.withUnsafeBytes { bytes in
            withUnsafeMutableBufferPointer { room, count in
                // Looked at here: in release mode a buffer does not look.
                precondition(bytes.count <= room.count &- count, "no room for the bytes")
                guard let start = room.baseAddress, let source = bytes.baseAddress else { return }
                UnsafeMutableRawPointer(start + count).copyMemory(
                    from: source, byteCount: bytes.count)
                count &+= bytes.count
            }
        }
    }
}
