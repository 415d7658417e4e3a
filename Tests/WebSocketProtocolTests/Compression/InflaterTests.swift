import TestSupport
import Testing

@testable import WebSocketProtocol

@Suite("RFC 7692 §7.2.2 Inflating")
struct InflaterTests {
    static let hello = Array("Hello".utf8)

    /// Payloads and their messages.
    static let examples: [Row<String, String>] = [
        Row("§7.2.3.1 one block", "f2 48 cd c9 c9 07 00", "Hello"),
        Row("§7.2.3.3 no compression", "00 05 00 fa ff 48 65 6c 6c 6f 00", "Hello"),
        Row("§7.2.3.4 BFINAL", "f3 48 cd c9 c9 07 00 00", "Hello"),
        Row("§7.2.3.5 two blocks", "f2 48 05 00 00 00 ff ff ca c9 c9 07 00", "Hello"),
        Row("§7.2.3.6 empty", "00", ""),
        Row("BFINAL without the byte after it", "f3 48 cd c9 c9 07 00", "Hello"),
        Row("BFINAL in the middle", "f3 48 cd c9 c9 07 00 f2 48 cd c9 c9 07 00", "HelloHello"),
        Row("back past BFINAL", "f3 48 cd c9 c9 07 00 f2 00 11 00 00", "HelloHello"),
        Row("twice BFINAL", "f3 48 cd c9 c9 07 00 f3 48 cd c9 c9 07 00 00", "HelloHello"),
        Row("twice BFINAL, none after", "f3 48 cd c9 c9 07 00 03 00", "Hello"),
        Row("BFINAL without compression", "01 05 00 fa ff 48 65 6c 6c 6f", "Hello"),
        Row("BFINAL of nothing", "03 00", ""),
        Row("empty blocks first", "00 00 00 ff ff 00 00 00 ff ff f2 48 cd c9 c9 07 00", "Hello"),
        Row("an empty block too many", "f2 48 cd c9 c9 07 00 00 00 ff ff 00", "Hello"),
        Row("the appended bytes are data", "00 04 00 fb ff", "\0\0\u{FF}\u{FF}"),
    ]

    @Test(arguments: examples)
    func example(_ row: Row<String, String>) throws {
        let message = row.expected.unicodeScalars.map { UInt8($0.value) }
        #expect(try everyInflation(hex(row.input)) == Inflated(message))
    }

    /// §7.2.3.2: the second message refers to the first one, with the window that lives on.
    @Test func contextTakeover() throws {
        #expect(
            try everyInflation(hex("f2 00 11 00 00"), history: Self.hello) == Inflated(Self.hello))
        let inflater = try #require(Inflater(windowBits: 15))
        #expect(inflater.message(hex("f2 48 cd c9 c9 07 00")) == Inflated(Self.hello))
        for _ in 0..<3 { #expect(inflater.message(hex("f2 00 11 00 00")) == Inflated(Self.hello)) }
        #expect(inflater.message(hex("f2 48 cd c9 c9 07 00")) == Inflated(Self.hello))
    }

    /// The same behind each way in which a message can end.
    @Test(arguments: examples.filter { $0.expected == "Hello" })
    func contextTakeover(after row: Row<String, String>) throws {
        let inflater = try #require(Inflater(windowBits: 15))
        #expect(inflater.message(hex(row.input)) == Inflated(Self.hello))
        #expect(inflater.history() == Self.hello)
        #expect(inflater.message(hex("f2 00 11 00 00")) == Inflated(Self.hello))
    }

    @Test func resetForgets() throws {
        let inflater = try #require(Inflater(windowBits: 15))
        #expect(inflater.message(hex("f2 48 cd c9 c9 07 00")) == Inflated(Self.hello))
        inflater.reset()
        #expect(inflater.history() == [])
        // The "H" is there before the reference back is found wrong.
        let failed = Inflated([0x48], failure: .invalidCompressedData)
        #expect(inflater.message(hex("f2 00 11 00 00")) == failed)
        #expect(inflater.message(hex("f2 48 cd c9 c9 07 00")).failure != nil, "before the reset")
        inflater.reset()
        #expect(inflater.message(hex("f2 48 cd c9 c9 07 00")) == Inflated(Self.hello))
        inflater.begin(UnsafeRawBufferPointer(start: nil, count: 0), isLast: false)
        inflater.reset()
        #expect(inflater.message(hex("00")) == Inflated())
    }

    static let broken: [Row<String, String>] = [
        Row("nothing at all", "", ""),
        Row("ends in a code", "f2", "H"),
        Row("ends in a block", "f2 48 cd", "Heh"),
        Row("ends in a block's end", "f2 48 cd c9 c9 07", "Hello"),
        Row("ends in a stored block", "00 09 00 f6 ff 48", "H\0\0\u{FF}\u{FF}"),
        Row("ends in a stored length", "00 05 00", ""),
        Row("stored length without its complement", "00 05 00 fa fe", ""),
        Row("stored block too long", "00 04 00 fb ff 48 65 6c 6c 6f 00", "Hell"),
        Row("ends in a block behind BFINAL", "03 00 04", ""),
        Row("block type 3", "06", ""),
        Row("block type 3 behind BFINAL", "f3 48 cd c9 c9 07 00 07", "Hello"),
        Row("reference back to nothing", "f2 00 11 00 00", "H"),
        Row("too many codes", "fc ff ff ff", ""),
        Row("zlib header", "78 01 f2 48 cd c9 c9 07 00", ""),
    ]

    @Test(arguments: broken)
    func refused(_ row: Row<String, String>) throws {
        let result = try everyInflation(hex(row.input))
        #expect(result.failure == .invalidCompressedData)
        #expect(result.bytes == row.expected.unicodeScalars.map { UInt8($0.value) })
    }

    @Test func failsWith1007() {
        let error = ProtocolError.invalidCompressedData
        #expect(error.closeCode == .invalidFramePayloadData)
        #expect("\(error)" == "compressed data that cannot be inflated")
    }

    /// All messages of one and two bytes: each ends, the same way for each split.
    @Test func shortest() throws {
        let inflater = try #require(Inflater(windowBits: 15))
        for first in 0...UInt8.max {
            for second in 0...UInt8.max {
                inflater.reset()
                let whole = inflater.message([first, second])
                inflater.reset()
                let cut = inflater.message([[first], [second]], outputByteCount: 1)
                #expect(whole == cut, "\(first) \(second)")
            }
        }
    }

    @Test func wordsOfWindows() throws {
        #expect(try #require(Inflater(windowBits: 1)).windowBits == 8)
        #expect(try #require(Inflater(windowBits: 99)).windowBits == 15)
    }

    // MARK: History

    @Test(arguments: [0, 1, 255, 256, 257, 32_767, 32_768, 32_769, 100_000], 8...15)
    func history(byteCount: Int, windowBits: Int) throws {
        let first = prose(byteCount)
        let second = prose(5_000, seed: 2)
        let deflater = try #require(Deflater(level: 6, windowBits: windowBits, memoryLevel: 8))
        let inflater = try #require(Inflater(windowBits: windowBits))
        #expect(inflater.message(try deflater.piece(first)) == Inflated(first))
        let history = inflater.history()
        #expect(history == first.suffix(1 << windowBits))
        let payload = try deflater.piece(second)
        let other = try #require(Inflater(windowBits: windowBits, history: history))
        #expect(other.history() == history)
        #expect(other.message(payload) == Inflated(second))
        #expect(inflater.message(payload) == Inflated(second))
        #expect(other.history() == inflater.history())
    }

    @Test func longerHistoryThanWindow() throws {
        let history = noise(1_000)
        let inflater = try #require(Inflater(windowBits: 8, history: history))
        #expect(inflater.history() == history.suffix(256))
    }

    // MARK: Attacks

    /// 1 MiB that stands for 1 GiB: nothing is made but the pieces asked for, here 64 MiB of them.
    @Test func bomb() throws {
        let deflater = try #require(Deflater(level: 9, windowBits: 15, memoryLevel: 9))
        let zeros = [UInt8](repeating: 0, count: 1 << 20)
        // Each refers to nothing before it, so they can be strung together.
        let mebibyte = try deflater.piece(zeros, isLast: false)
        let payload = Array(repeatElement(mebibyte, count: 1 << 10).joined()) + [0x00]
        #expect(payload.count < 1_100_000)
        let inflater = try #require(Inflater(windowBits: 15))
        let pool = CompressionPool(CompressionSettings())
        var byteCount = 0
        try payload.withUnsafeBytes { bytes throws in
            inflater.begin(bytes, isLast: true)
            for _ in 0..<(1 << 10) {
                byteCount += try inflater.next(into: pool.inflateOutput).count
            }
        }
        #expect(byteCount == 1 << 26)
        inflater.reset()
        #expect(inflater.message(hex("f2 48 cd c9 c9 07 00")) == Inflated(Self.hello))
    }

    /// Empty blocks cost two to five bytes each and give nothing; final ones end zlib's stream.
    @Test(arguments: ["03 00", "02 00", "00 00 00 ff ff", "01 00 00 ff ff"])
    func manyEmptyBlocks(_ block: String) throws {
        let inflater = try #require(Inflater(windowBits: 15, history: Self.hello))
        let blocks = Array(repeatElement(hex(block), count: 200_000).joined())
        // "02 00" leaves six bits of its second byte, which begin the next block.
        let isWhole = block != "02 00"
        let result = inflater.message([blocks[...], hex("f2 00 11 00 00")[...]])
        if isWhole { #expect(result == Inflated(Self.hello)) }
        #expect(result.bytes.count <= 5)
    }

    /// Messages damaged at random: each gives pieces or an error, the same for every split.
    @Test(arguments: 1...6 as ClosedRange<UInt64>)
    func damaged(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        var failureCount = 0
        for round in 0..<60 {
            let byteCount = Int.random(in: 0...400, using: &generator)
            let plain = Bool.random(using: &generator) ? prose(byteCount) : noise(byteCount)
            let deflater = try #require(Deflater(level: 6, windowBits: 15, memoryLevel: 8))
            var payload = try deflater.piece(plain, isLast: round % 2 == 0)
            switch Int.random(in: 0..<4, using: &generator) {
            case 0: payload.removeLast(.random(in: 0...payload.count, using: &generator))
            case 1: payload.removeFirst(.random(in: 0...payload.count, using: &generator))
            case 2: payload.insert(.random(in: 0...255, using: &generator), at: payload.count / 2)
            default: break
            }
            for _ in 0..<Int.random(in: 0...3, using: &generator) where !payload.isEmpty {
                let index = Int.random(in: 0..<payload.count, using: &generator)
                payload[index] ^= 1 << UInt8.random(in: 0..<8, using: &generator)
            }
            let result = try everyInflation(payload)
            if result.failure != nil { failureCount += 1 }
            #expect(result.bytes.count <= payload.count * 1_032, "DEFLATE's largest ratio")
        }
        #expect(failureCount > 20)
    }

    @Test func noiseEnds() throws {
        let inflater = try #require(Inflater(windowBits: 15))
        var failureCount = 0
        for seed in 0..<20_000 as Range<UInt64> {
            inflater.reset()
            var payload = noise(40, seed: seed)
            // Each kind of block in turn.
            payload[0] = payload[0] & 0xF8 | UInt8(truncatingIfNeeded: seed % 6)
            if inflater.message(payload).failure != nil { failureCount += 1 }
        }
        #expect(failureCount > 10_000)
    }
}
