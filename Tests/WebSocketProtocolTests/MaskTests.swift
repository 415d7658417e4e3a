import Testing

@testable import WebSocketProtocol

@Suite("RFC 6455 §5.3 Masking")
struct MaskTests {
    /// Byte by byte, as the RFC writes it.
    private func masked(_ bytes: [UInt8], _ key: UInt32, offset: Int) -> [UInt8] {
        bytes.enumerated().map { index, byte in
            byte ^ UInt8(truncatingIfNeeded: key >> UInt32((index + offset) % 4 * 8))
        }
    }

    @Test func example() {
        var bytes = Array("Hello".utf8)
        bytes.withUnsafeMutableBytes { Mask.apply(exampleKey, to: $0) }
        #expect(bytes == hex("7f 9f 4d 51 58"))
    }

    /// All lengths around the widths it works in, at every alignment and offset; nothing beside the
    /// piece is touched.
    @Test func likeByteByByte() {
        for count in Array(0...70) + [125, 126, 127, 255, 256, 257] {
            for alignment in 0..<8 {
                for offset in [0, 1, 2, 3, 4, 7, 65_537, .max] {
                    var memory = pattern(alignment + count + 8)
                    let before = memory
                    memory.withUnsafeMutableBytes {
                        Mask.apply(
                            exampleKey, to: .init(rebasing: $0[alignment..<(alignment + count)]),
                            offset: offset)
                    }
                    let piece = alignment..<(alignment + count)
                    #expect(
                        Array(memory[piece])
                            == masked(Array(before[piece]), exampleKey, offset: offset % 4))
                    #expect(memory[..<alignment] == before[..<alignment])
                    #expect(memory[piece.upperBound...] == before[piece.upperBound...])
                }
            }
        }
    }

    /// On the way to another place, at any alignment of either; the source stays as it is.
    @Test func copies() {
        for count in Array(0...70) + [127, 256, 257] {
            for alignment in 0..<8 {
                let source = pattern(count + 8)
                var copy = pattern(count + 16)
                let before = copy
                let piece = source[(alignment / 2)...].prefix(count)
                source.withUnsafeBytes { source in
                    copy.withUnsafeMutableBytes { copy in
                        guard let base = copy.baseAddress else { return }
                        Mask.apply(
                            exampleKey, to: .init(rebasing: source[piece.indices]),
                            writingTo: base + alignment,
                            offset: 3)
                    }
                }
                #expect(
                    copy[alignment...].prefix(count).elementsEqual(
                        masked(Array(piece), exampleKey, offset: 3)))
                #expect(copy[..<alignment] == before[..<alignment])
                #expect(copy[(alignment + count)...] == before[(alignment + count)...])
            }
        }
    }

    @Test func twiceIsNothing() {
        for key in [0, 1, 0x8000_0000, exampleKey, .max] {
            var bytes = pattern(1_000)
            bytes.withUnsafeMutableBytes { Mask.apply(key, to: $0) }
            bytes.withUnsafeMutableBytes { Mask.apply(key, to: $0) }
            #expect(bytes == pattern(1_000))
        }
    }

    @Test func everyCut() {
        let bytes = pattern(100)
        let whole = masked(bytes, exampleKey, offset: 0)
        for cut in 0...bytes.count {
            var pieces = bytes
            pieces.withUnsafeMutableBytes {
                Mask.apply(exampleKey, to: .init(rebasing: $0[..<cut]))
                Mask.apply(exampleKey, to: .init(rebasing: $0[cut...]), offset: cut)
            }
            #expect(pieces == whole, "\(cut)")
        }
    }

    @Test func nothing() {
        Mask.apply(exampleKey, to: UnsafeMutableRawBufferPointer(start: nil, count: 0))
    }
}
