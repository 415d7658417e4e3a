import TestSupport
import Testing

@testable import WebSocketProtocol

/// What bytes are to UTF-8.
private enum Verdict: Hashable {
    case text
    /// All right so far, and the last character is not complete.
    case unfinished
    case wrong

    /// One character after the other, by their numbers: RFC 3629 §3, not its table in §4.
    init(_ bytes: [UInt8]) {
        var rest = bytes[...]
        while let first = rest.popFirst() {
            let tailCount = (~first).leadingZeroBitCount - 1
            if first < 0x80 { continue }
            guard (1...3).contains(tailCount) else {
                self = .wrong
                return
            }
            let tail = rest.prefix(tailCount).prefix { $0 & 0xC0 == 0x80 }
            // The lowest and the highest number that the character can still become.
            let bits = UInt32(first & (0x3F >> UInt8(tailCount)))
            func number(_ filler: UInt32) -> UInt32 {
                (0..<tailCount).reduce(bits) { number, index in
                    number << 6
                        | (index < tail.count
                            ? UInt32(tail[tail.startIndex + index] & 0x3F) : filler)
                }
            }
            let lowest: UInt32 = [0x80, 0x800, 0x1_0000][tailCount - 1]
            let isSurrogate = number(0) >= 0xD800 && number(0x3F) <= 0xDFFF
            guard number(0x3F) >= lowest, number(0) <= 0x10_FFFF, !isSurrogate else {
                self = .wrong
                return
            }
            rest = rest.dropFirst(tail.count)
            if tail.count < tailCount {
                self = rest.isEmpty ? .unfinished : .wrong
                return
            }
        }
        self = .text
    }
}

/// The validator's verdict. A piece after one that was refused is not looked at.
private func verdict(_ pieces: ArraySlice<UInt8>...) -> Verdict {
    var validator = UTF8Validator()
    for piece in pieces where !piece.withUnsafeBytes({ validator.accept($0) }) { return .wrong }
    return validator.isAtCharacterBoundary ? .text : .unfinished
}

/// The bytes behind so many of ASCII: the verdict is the same alone, whole and cut at `cut`.
private func check(
    _ bytes: [UInt8], after start: Int, byteCount: Int = 40, cut: Int,
    sourceLocation: SourceLocation = #_sourceLocation
) {
    let text = [UInt8](repeating: 0x61, count: start) + bytes
    let cut = min(cut, text.count)
    let open = Verdict(bytes)
    var isRight = verdict(text[...]) == open && verdict(text[..<cut], text[cut...]) == open
    // With more behind it, a character that is not complete is wrong.
    let closed = text + [UInt8](repeating: 0x7A, count: max(1, byteCount - text.count))
    let expected = open == .text ? Verdict.text : .wrong
    isRight =
        isRight && verdict(closed[...]) == expected
        && verdict(closed[..<cut], closed[cut...]) == expected
    if !isRight {
        Issue.record("\(hexDump(text)), \(open), cut at \(cut)", sourceLocation: sourceLocation)
    }
}

@Suite("RFC 3629 §4 UTF-8, by blocks")
struct UTF8BlockTests {
    /// Both sides of each bound in the table.
    static let bounds = hex(
        "00 7f 80 8f 90 9f a0 bf c0 c1 c2 df e0 e1 ec ed ee ef f0 f1 f3 f4 f5 f7 f8 ff")

    /// Places that reach over all positions of the first blocks.
    private static func place(_ number: Int) -> (start: Int, cut: Int) {
        (number % 37, number % 41)
    }

    @Test func referenceAgreesWithTheLibrary() {
        for first in Self.bounds {
            for second in Self.bounds {
                for third in Self.bounds {
                    for bytes in [[first], [first, second], [first, second, third]] {
                        let isValid = String(validating: bytes, as: UTF8.self) != nil
                        #expect((Verdict(bytes) == .text) == isValid, "\(hexDump(bytes))")
                    }
                }
            }
        }
        #expect(Verdict(hex("f4 8f bf")) == .unfinished)
        #expect(Verdict(hex("ed a0")) == .wrong)
        #expect(Verdict(hex("e0 80")) == .wrong)
    }

    @Test func allOfOneByte() {
        for byte in 0...UInt8.max {
            for start in 0..<37 { check([byte], after: start, cut: (start + Int(byte)) % 41) }
        }
    }

    @Test func allOfTwoBytes() {
        var number = 0
        for first in 0x80...UInt8.max {
            for second in 0...UInt8.max {
                let (start, cut) = Self.place(number)
                check([first, second], after: start, cut: cut)
                number += 1
            }
        }
    }

    @Test func boundsOfThreeBytes() {
        var number = 0
        for first in 0xC0...UInt8.max {
            for second in Self.bounds {
                for third in Self.bounds {
                    let (start, cut) = Self.place(number)
                    check([first, second, third], after: start, cut: cut)
                    number += 1
                }
            }
        }
    }

    @Test func boundsOfFourBytes() {
        let tails = hex("7f 80 8f 90 9f a0 bf c0 e0 f0")
        var number = 0
        for first in hex("e0 ed ef f0 f1 f3 f4 f5") {
            for second in tails {
                for third in tails {
                    for fourth in tails {
                        let (start, cut) = Self.place(number)
                        check([first, second, third, fourth], after: start, cut: cut)
                        number += 1
                    }
                }
            }
        }
    }

    /// Each way a character can begin, end or break at each place around the edges of the blocks.
    @Test(arguments: ["c3 a9", "e2 82 ac", "ed 9f bf", "f0 90 80 80", "f4 8f bf bf"])
    func everyPlace(_ character: String) {
        let bytes = hex(character)
        for start in 0..<85 {
            for cut in start...(start + bytes.count) {
                check(bytes, after: start, byteCount: 104, cut: cut)
            }
            for index in bytes.indices {
                for wrong in [0x41, 0x80, 0xC3, 0xFF] as [UInt8] {
                    var damaged = bytes
                    damaged[index] = wrong
                    check(damaged, after: start, byteCount: 104, cut: start + index)
                }
            }
        }
    }

    /// Texts of one kind of character, of each length up to some blocks, at each cut.
    @Test(arguments: ["яжи", "天地人", "😀🎉", "aé天😀", "aaaaaaaaaaaaaaaaaaaaaaaé"])
    func everyCut(_ sample: String) {
        let text = Array(repeatElement(Array(sample.utf8), count: 60).joined())
        for count in Array(0...40) + [63, 64, 65, 66, 67, 68, 82, 83, 84, 131, 132] {
            let bytes = Array(text.prefix(count))
            let expected = Verdict(bytes)
            #expect(verdict(bytes[...]) == expected, "\(count) bytes")
            for cut in 0...count {
                let rest = (count - cut) / 2
                let pieces = verdict(
                    bytes[..<cut], bytes[cut..<(cut + rest)], bytes[(cut + rest)...])
                if pieces != expected { Issue.record("\(count) bytes, cut at \(cut)") }
            }
        }
    }

    /// One wrong byte anywhere in text without ASCII, and every place that it makes wrong.
    @Test(arguments: ["яжи", "天地人", "😀🎉"], 1...2 as ClosedRange<UInt64>)
    func damaged(_ sample: String, seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        let text = Array(Array(repeatElement(Array(sample.utf8), count: 40).joined()).prefix(150))
        for index in text.indices {
            var bytes = text
            bytes[index] = .random(in: 0...255, using: &generator)
            let cut = Int.random(in: 0...bytes.count, using: &generator)
            let expected = Verdict(bytes)
            #expect(verdict(bytes[...]) == expected, "\(index): \(bytes[index])")
            #expect(verdict(bytes[..<cut], bytes[cut...]) == expected, "\(index), cut at \(cut)")
        }
    }

    /// It fails in the piece with the wrong byte, though more of the character was to come.
    @Test(arguments: ["f0 8f", "e0 9f", "ed a0", "f4 90", "c0", "f5", "80"])
    func failsAtOnce(_ wrong: String) {
        for start in 0..<40 {
            let bytes = [UInt8](repeating: 0x61, count: start) + hex(wrong)
            #expect(verdict(bytes[...]) == .wrong, "after \(start)")
        }
    }
}
