/// Checks text as it arrives, in pieces that may end inside a character (RFC 6455 §8.1, RFC 3629 §4).
///
/// It fails at the first byte that cannot belong to UTF-8, however far the message's end is.
struct UTF8Validator: Sendable {
    /// Continuation bytes still missing of the character in progress: 0…3.
    private var missingByteCount: UInt8 = 0
    /// What the next continuation byte may be: narrower than 80…BF after E0, ED, F0 and F4.
    private var nextLowest: UInt8 = 0x80
    private var nextHighest: UInt8 = 0xBF

    /// Whether the text could end here.
    var isAtCharacterBoundary: Bool { missingByteCount == 0 }

    /// Takes the next piece; returns false at the first byte that is wrong.
    mutating func accept(_ bytes: UnsafeRawBufferPointer) -> Bool {
        guard let base = bytes.baseAddress else { return true }
        let count = bytes.count
        var index = 0
        while index < count {
            if missingByteCount == 0 {
                index = Self.skipASCII(base, from: index, to: count)
                guard index < count else { return true }
                guard begin(base.load(fromByteOffset: index, as: UInt8.self)) else { return false }
            } else {
                let byte = base.load(fromByteOffset: index, as: UInt8.self)
                guard byte >= nextLowest && byte <= nextHighest else { return false }
                missingByteCount &-= 1
                nextLowest = 0x80
                nextHighest = 0xBF
            }
            index &+= 1
        }
        return true
    }

    /// The first byte of a character of two to four bytes; RFC 3629 §4's table.
    private mutating func begin(_ byte: UInt8) -> Bool {
        switch byte {
        case 0xC2...0xDF: missingByteCount = 1
        case 0xE0: (missingByteCount, nextLowest) = (2, 0xA0)  // shorter forms exist below
        case 0xE1...0xEC, 0xEE, 0xEF: missingByteCount = 2
        case 0xED: (missingByteCount, nextHighest) = (2, 0x9F)  // surrogates lie above
        case 0xF0: (missingByteCount, nextLowest) = (3, 0x90)  // shorter forms exist below
        case 0xF1...0xF3: missingByteCount = 3
        case 0xF4: (missingByteCount, nextHighest) = (3, 0x8F)  // U+10FFFF is the last
        default: return false
        }
        return true
    }

    private static func skipASCII(_ base: UnsafeRawPointer, from start: Int, to end: Int) -> Int {
        var index = start
        while index &+ 32 <= end {
            let word = base.loadUnaligned(fromByteOffset: index, as: SIMD4<UInt64>.self)
            let high = word & SIMD4(repeating: 0x8080_8080_8080_8080)
            if (high[0] | high[1] | high[2] | high[3]) != 0 { break }
            index &+= 32
        }
        while index < end, base.load(fromByteOffset: index, as: UInt8.self) < 0x80 {
            index &+= 1
        }
        return index
    }
}
