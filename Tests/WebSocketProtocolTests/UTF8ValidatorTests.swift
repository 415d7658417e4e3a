import TestSupport
import Testing

@testable import WebSocketProtocol

@Suite("RFC 6455 §8.1, RFC 3629 §4 UTF-8")
struct UTF8ValidatorTests {
    /// Where the validator fails, fed with the pieces: the number of pieces it took.
    private func verdict(_ pieces: [ArraySlice<UInt8>]) -> (isValid: Bool, takenCount: Int) {
        var validator = UTF8Validator()
        for (index, piece) in pieces.enumerated() {
            if !piece.withUnsafeBytes({ validator.accept($0) }) { return (false, index) }
        }
        #expect(validator.isASCII == pieces.joined().allSatisfy { $0 < 0x80 })
        return (validator.isAtCharacterBoundary, pieces.count)
    }

    private func isValid(_ bytes: [UInt8]) -> Bool { verdict([bytes[...]]).isValid }

    private func expectAgreement(
        _ bytes: [UInt8], sourceLocation: SourceLocation = #_sourceLocation
    ) {
        let expected = String(validating: bytes, as: UTF8.self) != nil
        var verdicts = [verdict([bytes[...]]), verdict(bytes.indices.map { bytes[$0...$0] })]
        verdicts += (0...bytes.count).map { verdict([bytes[..<$0], bytes[$0...]]) }
        if verdicts.contains(where: { $0.isValid != expected }) {
            Issue.record("\(hexDump(bytes)), valid: \(expected)", sourceLocation: sourceLocation)
        }
    }

    /// What follows the bytes, how many bytes are taken before the first that is wrong.
    static let rows: [Row<String, Int?>] = [
        Row("nothing", "", nil),
        Row("ASCII", "48 65 6c 6c 6f", nil),
        Row("U+0000", "00", nil),
        Row("last of one byte", "7f", nil),
        Row("first and last of two", "c2 80 df bf", nil),
        Row("first and last of three", "e0 a0 80 ef bf bf", nil),
        Row("around the surrogates", "ed 9f bf ee 80 80", nil),
        Row("first and last of four", "f0 90 80 80 f4 8f bf bf", nil),
        Row("κόσμε", "ce ba e1 bd b9 cf 83 ce bc ce b5", nil),
        Row("continuation first", "41 80", 1),
        Row("overlong of two", "c0 80", 0),
        Row("overlong of two, C1", "c1 bf", 0),
        Row("overlong of three", "e0 9f bf", 1),
        Row("overlong of four", "f0 8f bf bf", 1),
        Row("first surrogate", "ed a0 80", 1),
        Row("last surrogate", "ed bf bf", 1),
        Row("U+110000", "f4 90 80 80", 1),
        Row("F5", "f5 80 80 80", 0),
        Row("FF", "ff", 0),
        Row("cut short by ASCII", "e2 82 41", 2),
        Row("cut short by a first byte", "f0 9f 98 c2", 3),
    ]

    /// It fails at the very byte, not at the end of the piece.
    @Test(arguments: rows)
    func row(_ row: Row<String, Int?>) {
        let bytes = hex(row.input)
        expectAgreement(bytes)
        let (isValid, takenCount) = verdict(bytes.indices.map { bytes[$0...$0] })
        #expect(isValid == (row.expected == nil))
        #expect(takenCount == row.expected ?? bytes.count)
    }

    @Test func everyTwoBytes() {
        for first in 0...UInt8.max {
            for second in 0...UInt8.max {
                let bytes = [first, second]
                let expected = String(validating: bytes, as: UTF8.self) != nil
                let apart = verdict([bytes[..<1], bytes[1...]]).isValid
                if isValid(bytes) != expected || apart != expected {
                    Issue.record("\(hexDump(bytes)), valid: \(expected)")
                }
            }
        }
    }

    /// Sequences of three and four with every first and second byte and the edges of the others.
    @Test func everyStartOfFourBytes() {
        let edges: [UInt8] = [0x00, 0x7F, 0x80, 0xBF, 0xC0, 0xFF]
        for first in 0xC0...UInt8.max {
            for second in 0x70...UInt8(0xD0) {
                for third in edges {
                    let bytes = [first, second, third]
                    if isValid(bytes) != (String(validating: bytes, as: UTF8.self) != nil) {
                        Issue.record("\(hexDump(bytes))")
                    }
                    for fourth in edges where third >= 0x80 {
                        let bytes = bytes + [fourth]
                        if isValid(bytes) != (String(validating: bytes, as: UTF8.self) != nil) {
                            Issue.record("\(hexDump(bytes))")
                        }
                    }
                }
            }
        }
    }

    /// Mostly valid text, now and then damaged, long enough for the wide path.
    @Test(arguments: 1...4 as ClosedRange<UInt64>)
    func random(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        let ranges: [ClosedRange<UInt32>] = [
            0...0x7F, 0...0x7F, 0x80...0x7FF, 0x800...0xD7FF, 0xE000...0xFFFF, 0x1_0000...0x10_FFFF,
        ]
        for _ in 0..<300 {
            var text = String.UnicodeScalarView()
            for _ in 0..<Int.random(in: 0...40, using: &generator) {
                let range = ranges[Int.random(in: 0..<ranges.count, using: &generator)]
                if let scalar = Unicode.Scalar(UInt32.random(in: range, using: &generator)) {
                    text.append(scalar)
                }
            }
            var bytes = Array(String(text).utf8)
            expectAgreement(bytes)
            if !bytes.isEmpty {
                bytes[Int.random(in: 0..<bytes.count, using: &generator)] = .random(
                    in: 0...255, using: &generator)
                expectAgreement(bytes)
                bytes.removeLast()
                expectAgreement(bytes)
            }
        }
    }

    /// One bad or open byte at each place of a run of ASCII, around the width of the wide path.
    @Test func insideASCII() {
        for count in [31, 32, 33, 63, 64, 65, 96] {
            for index in 0..<count {
                for byte in [0x80, 0xC3, 0xFF] as [UInt8] {
                    var bytes = [UInt8](repeating: 0x41, count: count)
                    bytes[index] = byte
                    #expect(!isValid(bytes))
                }
            }
        }
    }
}
