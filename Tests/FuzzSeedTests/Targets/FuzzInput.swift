/// What the fuzzer chose: four bytes that say how to feed the rest, and the rest.
///
/// The first byte sets what a target has to set. The other three are the lengths of the pieces, in
/// turn: 1 1 1 is byte by byte, 0 is an empty read, 0 0 0 is one piece. They are printable in most
/// seeds, so that those can be read and edited as text.
struct FuzzInput {
    let settings: UInt8
    let content: [UInt8]
    private let pieceByteCounts: [Int]

    init(_ bytes: UnsafeRawBufferPointer) {
        settings = bytes.first ?? 0
        pieceByteCounts = bytes.dropFirst().prefix(3).map(Int.init)
        content = Array(bytes.dropFirst(4))
    }

    /// The content in one piece, and as the fuzzer cut it: what comes of both has to be the same.
    var whole: [ArraySlice<UInt8>] { [content[...]] }

    var pieces: [ArraySlice<UInt8>] {
        guard pieceByteCounts.contains(where: { $0 > 0 }) else { return whole }
        var pieces: [ArraySlice<UInt8>] = content.isEmpty ? whole : []
        var start = 0
        while start < content.count {
            let byteCount = pieceByteCounts[pieces.count % pieceByteCounts.count]
            let end = min(start + byteCount, content.count)
            pieces.append(content[start..<end])
            start = end
        }
        return pieces
    }

    /// One of the choices, by two bits of the settings.
    func choice<Value>(_ values: [Value], bit: Int) -> Value {
        values[Int(settings >> bit & 3) % values.count]
    }
}

/// Copies a piece to memory that ends where the piece does, as an array's may not: the sanitizer
/// sees every byte read behind it.
func withOwnMemory<Result>(
    _ piece: ArraySlice<UInt8>, _ body: (UnsafeMutableRawBufferPointer) throws -> Result
) rethrows -> Result {
    let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: piece.count, alignment: 1)
    defer { memory.deallocate() }
    memory.copyBytes(from: piece)
    return try body(memory)
}
