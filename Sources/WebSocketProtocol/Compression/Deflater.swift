import CZlib

/// Deflates messages (RFC 7692 §7.2.1), a piece at a time.
///
/// Belongs to the thread of one loop. The window is kept from message to message until ``reset()``.
public final class Deflater {
    /// Never moves, because zlib's state points to it.
    private let stream: UnsafeMutablePointer<z_stream>

    /// - Parameters:
    ///   - level: 1…9, zlib's.
    ///   - windowBits: 8…15, the base-2 logarithm of the window. zlib makes no raw window of 8
    ///     bits: 9 is used, which obeys 8 as well, because zlib never refers further back than its
    ///     window less 262 bytes (MIN_LOOKAHEAD), and 512 − 262 = 250 < 256.
    ///   - memoryLevel: 1…9, zlib's.
    /// - Returns: `nil` if zlib got no memory. Numbers out of range count as the nearest in range.
    public init?(level: Int, windowBits: Int, memoryLevel: Int) {
        stream = .allocate(capacity: 1)
        stream.initialize(to: z_stream())
        // Negative: raw DEFLATE, without zlib's header and checksum.
        let code = deflateInit2_(
            stream, Int32(min(max(level, 1), 9)), Z_DEFLATED, Int32(-min(max(windowBits, 9), 15)),
            Int32(min(max(memoryLevel, 1), 9)), Z_DEFAULT_STRATEGY, ZLIB_VERSION,
            Int32(MemoryLayout<z_stream>.size))
        guard code == Z_OK else { return nil }
    }

    deinit {
        // Does nothing if there is no state.
        deflateEnd(stream)
        stream.deallocate()
    }

    /// Compresses one piece of a message, so that the peer can inflate all of it.
    ///
    /// - Parameters:
    ///   - bytes: of any size. No bytes that are not the last give no output.
    ///   - isLast: whether the message ends here. Then the final 00 00 FF FF is left out (§7.2.1),
    ///     and no bytes give the one byte 00 (§7.2.3.6).
    ///   - output: the memory to write to, from its beginning.
    /// - Returns: the compressed bytes, inside `output` and valid until its next use; `nil` if zlib
    ///   failed, after which this deflater is unusable.
    public func deflate(
        _ bytes: UnsafeRawBufferPointer, isLast: Bool, into output: GrowingBuffer
    ) -> UnsafeRawBufferPointer? {
        // zlib writes nothing for a second flush in a row.
        guard !bytes.isEmpty else { return emptyPiece(isLast: isLast, output) }
        guard let byteCount = flush(bytes, into: output) else { return nil }
        let written = UnsafeRawBufferPointer(rebasing: output.bytes.prefix(byteCount))
        guard isLast else { return written }
        guard written.suffix(4).elementsEqual([0x00, 0x00, 0xFF, 0xFF]) else { return nil }
        return UnsafeRawBufferPointer(rebasing: written.dropLast(4))
    }

    /// Clears the window, before a message or piece that may not refer to earlier ones.
    public func reset() { deflateReset(stream) }

    /// zlib counts in 32 bits.
    private static let stepByteLimit = 1 << 30

    /// An empty block without compression; its length is what the peer appends (§7.2.2). After a
    /// flush it begins on a byte boundary, so it can be written without zlib.
    private func emptyPiece(
        isLast: Bool, _ output: GrowingBuffer
    ) -> UnsafeRawBufferPointer {
        output.reserve(1)
        output.bytes.copyBytes(from: [0x00])
        return UnsafeRawBufferPointer(rebasing: output.bytes.prefix(isLast ? 1 : 0))
    }

    /// Compresses all bytes, and ends with a flush.
    ///
    /// - Returns: how many bytes were written; `nil` if zlib failed.
    private func flush(_ bytes: UnsafeRawBufferPointer, into output: GrowingBuffer) -> Int? {
        // The bound leaves the flush out: its mark has 5 bytes, and bits before it.
        let bound = Int(clamping: deflateBound(stream, uLong(bytes.count))) &+ 16
        output.reserve(min(bound, GrowingBuffer.keptByteCount))
        var rest = bytes
        var byteCount = 0
        while true {
            if stream.pointee.avail_in == 0 { show(&rest) }
            if byteCount == output.bytes.count {
                output.reserve(output.bytes.count &* 2, keeping: byteCount)
            }
            let room = output.bytes.dropFirst(byteCount).prefix(Self.stepByteLimit)
            stream.pointee.next_out = UnsafeMutableRawBufferPointer(rebasing: room).baseAddress?
                .assumingMemoryBound(to: Bytef.self)
            stream.pointee.avail_out = uInt(room.count)
            let code = CZlib.deflate(stream, rest.isEmpty ? Z_SYNC_FLUSH : Z_NO_FLUSH)
            guard code == Z_OK || code == Z_BUF_ERROR else { return nil }
            byteCount &+= room.count &- Int(stream.pointee.avail_out)
            if stream.pointee.avail_out > 0 {
                // With space left in the output, zlib has read all of its input.
                guard stream.pointee.avail_in == 0 else { return nil }
                if rest.isEmpty { return byteCount }
            }
        }
    }

    private func show(_ rest: inout UnsafeRawBufferPointer) {
        let part = UnsafeRawBufferPointer(rebasing: rest.prefix(Self.stepByteLimit))
        stream.pointee.next_in = part.baseAddress?.assumingMemoryBound(to: Bytef.self)
        stream.pointee.avail_in = uInt(part.count)
        rest = UnsafeRawBufferPointer(rebasing: rest.dropFirst(Self.stepByteLimit))
    }
}
