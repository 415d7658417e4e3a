/// Several bytes at a time, for the loops that see every byte of a head.
extension Span<UInt8> {
    private typealias Block = SIMD16<UInt8>

    private static var a: Block { Block(repeating: UInt8(ascii: "a")) }
    private static var z: Block { Block(repeating: UInt8(ascii: "z")) }
    private static var hyphen: Block { Block(repeating: UInt8(ascii: "-")) }

    /// Eight bytes; all of them have to be in the span.
    private func word(at offset: Int) -> UInt64 {
        bytes.unsafeLoadUnaligned(fromByteOffset: offset, as: UInt64.self)
    }

    /// The sixteen bytes from `offset` on; all of them have to be in the span.
    private func block(at offset: Int) -> Block {
        bytes.unsafeLoadUnaligned(fromByteOffset: offset, as: Block.self)
    }

    /// Where the byte is first, from `start` on.
    func firstIndex(of byte: UInt8, from start: Int = 0) -> Int? {
        let pattern = Block(repeating: byte)
        var index = start
        while index + Block.scalarCount <= count {
            if let place = (block(at: index) .== pattern).firstPlace { return index + place }
            index += Block.scalarCount
        }
        while index < count {
            if self[index] == byte { return index }
            index += 1
        }
        return nil
    }

    /// How many letters and hyphens there are before any other byte.
    ///
    /// Most field names have nothing else. May be less if there are no sixteen bytes behind it.
    var letterPrefixCount: Int {
        var index = 0
        while index + Block.scalarCount <= count {
            let block = block(at: index)
            let small = block | Block(repeating: 0x20)
            let isLetter = small .>= Self.a .& small .<= Self.z
            let isOther = .!(isLetter .| block .== Self.hyphen)
            if let place = isOther.firstPlace { return index + place }
            index += Block.scalarCount
        }
        return index
    }

    /// Whether all bytes are a space or visible ASCII (RFC 5234 appendix B.1: `SP / VCHAR`).
    var isPrintableASCII: Bool {
        guard count >= Word.byteCount else {
            return allSatisfy { (0x20...0x7E).contains($0) }
        }
        var index = 0
        while index < count {
            // The last word may overlap the one before.
            index = Swift.min(index, count - Word.byteCount)
            let word = word(at: index)
            // The top bit of a byte is set if the byte has it, if one more sets it (0x7F), or if
            // there is no 0x20 to take away. A carry to the next byte comes only from one that is
            // refused anyway.
            let faults = word | (word &+ Word.repeating(0x01)) | (word &- Word.repeating(0x20))
            guard faults & Word.repeating(0x80) == 0 else { return false }
            index += Word.byteCount
        }
        return true
    }

    /// Whether the bytes are the same but for the case of ASCII letters.
    func equalsIgnoringCase(_ other: Span<UInt8>) -> Bool {
        guard count == other.count else { return false }
        var index = 0
        // Names are mostly written as in their RFC.
        while index + Word.byteCount <= count, word(at: index) == other.word(at: index) {
            index += Word.byteCount
        }
        while index < count {
            let (byte, otherByte) = (self[index], other[index])
            guard byte == otherByte || Byte.lowercase(byte) == Byte.lowercase(otherByte) else {
                return false
            }
            index += 1
        }
        return true
    }
}

/// Eight bytes in a number.
private enum Word {
    static let byteCount = 8

    static func repeating(_ byte: UInt8) -> UInt64 { UInt64(byte) &* 0x0101_0101_0101_0101 }
}

extension SIMDMask<SIMD16<Int8>> {
    /// The first place that is true.
    fileprivate var firstPlace: Int? {
        // A byte that is true is 0xFF, and any other 0.
        let words = unsafeBitCast(self, to: SIMD2<UInt64>.self)
        if words[0] != 0 { return words[0].littleEndian.trailingZeroBitCount / 8 }
        if words[1] != 0 { return Word.byteCount + words[1].littleEndian.trailingZeroBitCount / 8 }
        return nil
    }
}
