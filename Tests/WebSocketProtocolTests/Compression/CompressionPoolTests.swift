import Testing

@testable import WebSocketProtocol

@Suite("Shared streams")
struct CompressionPoolTests {
    @Test func inflatersComeBackEmpty() throws {
        let pool = CompressionPool(CompressionSettings())
        let inflater = try #require(pool.takeInflater())
        #expect(inflater.windowBits == 15)
        #expect(inflater.message(hex("f2 48 cd")).failure != nil)
        pool.giveBack(inflater)
        let again = try #require(pool.takeInflater())
        #expect(again === inflater)
        #expect(again.message(hex("f2 48 cd c9 c9 07 00")) == Inflated(Array("Hello".utf8)))
        pool.giveBack(again)
        let third = try #require(pool.takeInflater())
        #expect(third.history() == [])
        let fourth = try #require(pool.takeInflater())
        #expect(fourth !== third)
    }

    @Test func keepsFour() throws {
        let pool = CompressionPool(CompressionSettings())
        let inflaters = try (0..<6).map { _ in try #require(pool.takeInflater()) }
        for inflater in inflaters { pool.giveBack(inflater) }
        let kept = try (0..<6).map { _ in try #require(pool.takeInflater()) }
        let knownCount = kept.count { inflater in inflaters.contains { $0 === inflater } }
        #expect(knownCount == 4)
    }

    @Test func givenBackTwice() throws {
        let pool = CompressionPool(CompressionSettings())
        let inflater = try #require(pool.takeInflater())
        pool.giveBack(inflater)
        pool.giveBack(inflater)
        #expect(pool.takeInflater() === inflater)
        #expect(pool.takeInflater() !== inflater)
    }

    @Test func smallWindowsAreNotKept() throws {
        let pool = CompressionPool(CompressionSettings())
        pool.giveBack(try #require(Inflater(windowBits: 9)))
        #expect(try #require(pool.takeInflater()).windowBits == 15)
    }

    /// What comes out inflates with the window that was agreed on, one byte of output at a time,
    /// and refers to nothing before it.
    @Test(arguments: 8...15, [0, 1, 256, 2_048, 2_049, 16_384, 100_000])
    func deflaters(windowBits: Int, byteCount: Int) throws {
        let pool = CompressionPool(CompressionSettings())
        let message = prose(byteCount)
        var payloads: Set<[UInt8]> = []
        for _ in 0..<3 {
            let deflater = try #require(
                pool.deflater(windowBits: windowBits, forByteCount: byteCount))
            let payload = try deflater.piece(message, into: pool.deflateOutput)
            let inflater = try #require(Inflater(windowBits: windowBits))
            #expect(inflater.message(payload, outputByteCount: 1) == Inflated(message))
            payloads.insert(payload)
        }
        #expect(payloads.count == 1)
    }

    @Test func memoryIsMadeOnce() {
        let pool = CompressionPool(CompressionSettings())
        #expect(pool.inflateOutput.count == 65_536)
        #expect(pool.inflateOutput.baseAddress == pool.inflateOutput.baseAddress)
    }
}
