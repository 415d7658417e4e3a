/// Checks text as it arrives, in pieces that may end inside a character (RFC 6455 §8.1, RFC 3629
/// §4).
///
/// It fails in the piece that contains the first invalid byte, without waiting for the end of the
/// message.
///
/// By the table of RFC 3629 §4, whether a byte is valid depends only on the three bytes before it.
/// So ``UTF8Block`` checks sixteen at once. The first three bytes of a piece, and short pieces, go
/// through a state machine byte by byte; only its state is kept between pieces.
package struct UTF8Validator: Sendable {
    /// How many continuation bytes the current character still needs: 0…3.
    private var missingByteCount: UInt8 = 0
    /// The range of the next continuation byte: the lowest value, and how many follow it. Narrower
    /// than 80…BF after E0, ED, F0 and F4.
    private var nextLowest: UInt8 = 0x80
    private var nextSpan: UInt8 = 0x3F
    /// Whether all bytes were below 80.
    private(set) var isASCII = true

    package init() {}

    /// Whether the text could end here.
    package var isAtCharacterBoundary: Bool { missingByteCount == 0 }

    /// Checks `bytes` from `start` on; returns false if a byte is invalid.
    mutating func accept(_ bytes: [UInt8], from start: Int) -> Bool {
        bytes.withUnsafeBytes { accept(UnsafeRawBufferPointer(rebasing: $0[start...])) }
    }

    /// Checks the next piece; returns false if a byte is invalid.
    package mutating func accept(_ bytes: UnsafeRawBufferPointer) -> Bool {
        let count = bytes.count
        guard count > 0, let base = bytes.baseAddress else { return true }
        var index = 0
        if isAtCharacterBoundary && base.load(as: UInt8.self) < 0x80 {
            index = UTF8Block.skipASCII(base, from: 0, to: count)
            if index == count { return true }
        }
        isASCII = false
        if count >= UTF8Block.leadByteCount + UTF8Block.byteCount {
            if index < UTF8Block.leadByteCount {
                guard step(base, from: index, to: UTF8Block.leadByteCount) else { return false }
                index = UTF8Block.leadByteCount
            }
            guard UTF8Block.accept(base, from: index, to: count) else { return false }
            // Only the last character can still be incomplete.
            self = Self()
            isASCII = false
            index = UTF8Block.startOfLastCharacter(base, to: count)
        }
        return step(base, from: index, to: count)
    }

    /// The state machine, a byte at a time.
    @inline(__always)
    private mutating func step(_ base: UnsafeRawPointer, from start: Int, to end: Int) -> Bool {
        var index = start
        while index < end {
            let byte = base.load(fromByteOffset: index, as: UInt8.self)
            index &+= 1
            if missingByteCount > 0 {
                guard byte &- nextLowest <= nextSpan else { return false }
                missingByteCount &-= 1
                nextLowest = 0x80
                nextSpan = 0x3F
            } else if byte >= 0x80 {
                guard begin(byte) else { return false }
            }
        }
        return true
    }

    /// The first byte of a character of two to four bytes; RFC 3629 §4's table.
    @inline(__always)
    private mutating func begin(_ byte: UInt8) -> Bool {
        switch byte {
        case 0xC2...0xDF: missingByteCount = 1
        case 0xE0: (missingByteCount, nextLowest, nextSpan) = (2, 0xA0, 0x1F)  // overlong below
        case 0xE1...0xEC, 0xEE, 0xEF: missingByteCount = 2
        case 0xED: (missingByteCount, nextSpan) = (2, 0x1F)  // surrogates lie above
        case 0xF0: (missingByteCount, nextLowest, nextSpan) = (3, 0x90, 0x2F)  // overlong below
        case 0xF1...0xF3: missingByteCount = 3
        case 0xF4: (missingByteCount, nextSpan) = (3, 0x0F)  // U+10FFFF is the last
        default: return false
        }
        return true
    }
}

/// The table of RFC 3629 §4 for sixteen bytes at once, the vector width that every x86-64 and arm64
/// has. It uses comparisons only: a table look-up per byte would need a newer processor.
private enum UTF8Block {
    typealias Bytes = SIMD16<UInt8>
    typealias Places = SIMDMask<SIMD16<Int8>>

    static let byteCount = 16
    /// What has to lie before the first block: the longest character has three bytes more.
    static let leadByteCount = 3

    /// Checks the bytes from `start` on, of which the ones before are right; `leadByteCount` at
    /// least lie before them, and with those there is a block. The last character may be
    /// incomplete.
    static func accept(_ base: UnsafeRawPointer, from start: Int, to end: Int) -> Bool {
        var index = start
        while index &+ 64 <= end {
            // Behind an ASCII byte no character is in progress.
            if base.load(fromByteOffset: index &- 1, as: UInt8.self) < 0x80 {
                index = skipASCII(base, from: index, to: end)
                if index &+ 64 > end { break }
            }
            let faults =
                faults(base, index) .| faults(base, index &+ 16) .| faults(base, index &+ 32)
                .| faults(base, index &+ 48)
            guard isNowhere(faults) else { return false }
            index &+= 64
        }
        while index < end {
            // The last block may overlap the one before.
            index = min(index, end &- byteCount)
            guard isNowhere(faults(base, index)) else { return false }
            index &+= byteCount
        }
        return true
    }

    /// The places whose byte cannot follow the three before it.
    @inline(__always)
    private static func faults(_ base: UnsafeRawPointer, _ index: Int) -> Places {
        let bytes = load(base, index)
        let before = load(base, index &- 1)
        // UTF8-tail = %x80-BF; expected one place behind the first byte of a character of two or
        // more, two places behind one of three or more, three behind one of four.
        let isTail = places(of: 0x80, bytes & 0xC0)
        let isTailExpected =
            places(from: 0xC0, before) .| places(from: 0xE0, load(base, index &- 2))
            .| places(from: 0xF0, load(base, index &- 3))
        let is90 = places(from: 0x90, bytes)
        let isA0 = places(from: 0xA0, bytes)
        // Shorter forms exist below, surrogates lie above, U+10FFFF is the last.
        let isOverlong = places(of: 0xE0, before) .& .!isA0 .| places(of: 0xF0, before) .& .!is90
        let isSurrogate = places(of: 0xED, before) .& isA0
        let isTooLarge = places(of: 0xF4, before) .& is90
        let isNever = places(of: 0xC0, bytes & 0xFE) .| places(from: 0xF5, bytes)
        return isTail .^ isTailExpected .| isOverlong .| isSurrogate .| isTooLarge .| isNever
    }

    @inline(__always)
    private static func places(of byte: UInt8, _ bytes: Bytes) -> Places {
        bytes .== Bytes(repeating: byte)
    }

    @inline(__always)
    private static func places(from lowest: UInt8, _ bytes: Bytes) -> Places {
        // A plain number here would use unspecialised code, which is a thousand times slower.
        bytes .>= Bytes(repeating: lowest)
    }

    @inline(__always)
    private static func isNowhere(_ places: Places) -> Bool {
        isZero(unsafeBitCast(places, to: SIMD2<UInt64>.self))
    }

    /// The first place from `start` on that is not ASCII; `end` if there is none.
    static func skipASCII(_ base: UnsafeRawPointer, from start: Int, to end: Int) -> Int {
        var index = start
        while index &+ 64 <= end {
            let bytes =
                load(base, index) | load(base, index &+ 16) | load(base, index &+ 32)
                | load(base, index &+ 48)
            guard isZero(unsafeBitCast(bytes & 0x80, to: SIMD2<UInt64>.self)) else { break }
            index &+= 64
        }
        while index &+ 8 <= end {
            let word = base.loadUnaligned(fromByteOffset: index, as: UInt64.self)
            let high = UInt64(littleEndian: word) & 0x8080_8080_8080_8080
            guard high == 0 else { return index &+ high.trailingZeroBitCount &>> 3 }
            index &+= 8
        }
        while index < end, base.load(fromByteOffset: index, as: UInt8.self) < 0x80 {
            index &+= 1
        }
        return index
    }

    /// Where the last character begins; `end` is a block's or more, and all before it is right.
    static func startOfLastCharacter(_ base: UnsafeRawPointer, to end: Int) -> Int {
        var index = end &- 1
        while index > end &- 4, base.load(fromByteOffset: index, as: UInt8.self) & 0xC0 == 0x80 {
            index &-= 1
        }
        return index
    }

    @inline(__always)
    private static func load(_ base: UnsafeRawPointer, _ index: Int) -> Bytes {
        base.loadUnaligned(fromByteOffset: index, as: Bytes.self)
    }

    @inline(__always)
    private static func isZero(_ words: SIMD2<UInt64>) -> Bool { words[0] | words[1] == 0 }
}
