import TestSupport
import Testing

@testable import WebSocketProtocol

@Suite("RFC 7692 §7.2.1 Deflating")
struct DeflaterTests {
    static func deflater(level: Int = 1, windowBits: Int = 15) throws -> Deflater {
        try #require(Deflater(level: level, windowBits: windowBits, memoryLevel: 8))
    }

    /// Pieces of one message, and the bytes of each.
    static let examples: [Row<[String], [String]>] = [
        Row("§7.2.3.1 one block", ["Hello"], ["f2 48 cd c9 c9 07 00"]),
        Row("§7.2.3.5 two blocks", ["He", "llo"], ["f2 48 05 00 00 00 ff ff", "ca c9 c9 07 00"]),
        Row("§7.2.3.6 empty", [""], ["00"]),
        Row("an empty piece last", ["Hello", ""], ["f2 48 cd c9 c9 07 00 00 00 ff ff", "00"]),
        Row("an empty piece first", ["", "Hello"], ["", "f2 48 cd c9 c9 07 00"]),
        Row("empty pieces only", ["", "", ""], ["", "", "00"]),
    ]

    @Test(arguments: examples, [1, 6, 9])
    func example(_ row: Row<[String], [String]>, level: Int) throws {
        let deflater = try Self.deflater(level: level)
        for (index, (piece, expected)) in zip(row.input, row.expected).enumerated() {
            let isLast = index == row.input.count - 1
            #expect(try deflater.piece(Array(piece.utf8), isLast: isLast) == hex(expected))
        }
        #expect(
            try everyInflation(row.expected.flatMap(hex))
                == Inflated(Array(row.input.joined().utf8)))
    }

    /// §7.2.3.2: with the window kept, the second message is shorter; without, it is the same.
    @Test func contextTakeover() throws {
        let deflater = try Self.deflater()
        let hello = Array("Hello".utf8)
        #expect(try deflater.piece(hello) == hex("f2 48 cd c9 c9 07 00"))
        #expect(try deflater.piece(hello) == hex("f2 00 11 00 00"))
        #expect(try deflater.piece([]) == [0x00])
        deflater.reset()
        #expect(try deflater.piece(hello) == hex("f2 48 cd c9 c9 07 00"))
    }

    static let byteCounts = [0, 1, 125, 126, 65_535, 65_536, 1 << 20]

    static let messages = Dictionary(
        uniqueKeysWithValues: byteCounts.map { byteCount in
            let zeros = [UInt8](repeating: 0, count: byteCount)
            let halves = prose(byteCount / 2) + noise(byteCount - byteCount / 2)
            return (byteCount, [prose(byteCount), noise(byteCount), zeros, halves])
        })

    /// Messages after one another, in both directions, with the context kept and not.
    @Test(arguments: byteCounts, 8...15)
    func roundTrip(byteCount: Int, windowBits: Int) throws {
        let output = GrowingBuffer()
        for keepsContext in [true, false] {
            let deflater = try Self.deflater(windowBits: windowBits)
            let inflater = try #require(Inflater(windowBits: windowBits))
            for message in Self.messages[byteCount] ?? [] {
                let payload = try deflater.piece(message, into: output)
                #expect(inflater.message(payload, outputByteCount: 65_536) == Inflated(message))
                // Incompressible data grows by five bytes for each block stored as it is.
                #expect(payload.count <= message.count + message.count / 256 + 16)
                guard !keepsContext else { continue }
                deflater.reset()
                inflater.reset()
            }
        }
        output.trim()
        #expect(output.bytes.count <= GrowingBuffer.keptByteCount)
    }

    @Test(arguments: [1, 125, 126, 2_000, 40_000], [9, 15])
    func everySplit(byteCount: Int, windowBits: Int) throws {
        for message in [prose(byteCount), noise(byteCount)] {
            let payload = try Self.deflater(windowBits: windowBits).piece(message)
            #expect(try everyInflation(payload, windowBits: windowBits) == Inflated(message))
        }
    }

    /// Many small pieces: each can be inflated as soon as it is there.
    @Test func pieces() throws {
        let deflater = try Self.deflater()
        let inflater = try #require(Inflater(windowBits: 15))
        for seed in 0..<50 as Range<UInt64> {
            let piece = prose(Int(seed), seed: seed)
            let isLast = seed == 49
            let payload = try deflater.piece(piece, isLast: isLast)
            let parts = payload.isEmpty ? [] : [payload[...]]
            #expect(inflater.message(parts, isWhole: isLast) == Inflated(piece))
        }
    }

    /// Without context takeover each piece may begin anew: its blocks refer to nothing before them.
    @Test func piecesThatForget() throws {
        let pieces = [prose(3_000), prose(2_000), prose(3_000)]
        let deflaters = [
            try Self.deflater(), try Self.deflater(level: 9, windowBits: 9), try Self.deflater(),
        ]
        // Used before: the reset has to forget that.
        for deflater in deflaters { _ = try deflater.piece(prose(3_000)) }
        var payload: [UInt8] = []
        for (index, deflater) in deflaters.enumerated() {
            deflater.reset()
            payload += try deflater.piece(pieces[index], isLast: index == 2)
        }
        #expect(try everyInflation(payload) == Inflated(Array(pieces.joined())))
    }

    /// A deflater for a window of 8 bits reaches back less than 256 bytes: an inflater that has
    /// only that much, and one byte of output at a time to find more in, follows it. It does not
    /// follow one of 9 bits' worth and more, so the test can tell.
    @Test(arguments: [1, 6, 9])
    func windowOf8Bits(level: Int) throws {
        let messages =
            (0..<8 as Range<UInt64>).map { prose(3_000, seed: $0) } + [noiseThatRepeats()]
        let deflater = try Self.deflater(level: level, windowBits: 8)
        let inflater = try #require(Inflater(windowBits: 8))
        for message in messages {
            let payload = try deflater.piece(message)
            #expect(inflater.message(payload, outputByteCount: 1) == Inflated(message))
        }
        let wider = try Self.deflater(level: level, windowBits: 10).piece(noiseThatRepeats())
        inflater.reset()
        let failure = inflater.message(wider, outputByteCount: 1).failure
        #expect(failure == .invalidCompressedData)
    }

    /// Twenty bytes again and again after each distance from 230 to 530.
    private func noiseThatRepeats() -> [UInt8] {
        (230...530).flatMap { distance in
            let repeated = noise(20, seed: UInt64(distance))
            return repeated + noise(distance - 20, seed: UInt64(distance) + 10_000) + repeated
        }
    }

    @Test func clamps() throws {
        for (level, windowBits, memoryLevel) in [(0, 0, 0), (-1, -1, -1), (.max, .max, .max)] {
            let deflater = try #require(
                Deflater(level: level, windowBits: windowBits, memoryLevel: memoryLevel))
            let message = prose(10_000)
            let payload = try deflater.piece(message)
            #expect(payload.count < message.count / 2)
            #expect(try everyInflation(payload) == Inflated(message))
        }
    }

    /// Output that is already large, of the exact size, and far too small.
    @Test(arguments: [1, 2, 6, 7, 8, 300_000])
    func growing(byteCount: Int) throws {
        let output = GrowingBuffer()
        output.reserve(byteCount)
        let message = noise(1_000_000)
        let payload = try Self.deflater().piece(message, into: output)
        #expect(output.bytes.count > GrowingBuffer.keptByteCount)
        let inflater = try #require(Inflater(windowBits: 15))
        #expect(inflater.message(payload) == Inflated(message))
        output.trim()
        #expect(output.bytes.count == 0)
        #expect(try Self.deflater().piece([], into: output) == [0x00])
    }
}
