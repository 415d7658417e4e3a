import CZlib

/// Inflates messages (RFC 7692 §7.2.2), a piece at a time.
///
/// Belongs to the thread of one loop. The window is kept from message to message until ``reset()``.
public final class Inflater {
    /// 8…15: the base-2 logarithm of the window.
    public let windowBits: Int

    /// Never moves, because zlib's state points to it.
    private let stream: UnsafeMutablePointer<z_stream>
    /// Given to zlib after a message's own bytes. §7.2.2: "Append 4 octets of 0x00 0x00 0xff 0xff".
    private let tail: UnsafeMutableRawBufferPointer

    /// The rest of the part that zlib has not been given yet.
    private var rest = UnsafeRawBufferPointer(start: nil, count: 0)
    private var isLast = false
    private var wasTailGiven = false
    /// Whether zlib filled the output, and may have more.
    private var mayHoldOutput = false
    /// Whether the bytes so far end with a block that has BFINAL.
    private var endedWithFinalBlock = false
    /// Whether the last block is complete and ended on a byte boundary, as a message has to.
    private var isAtBlockEnd = false
    private var isBroken = false

    /// - Parameter windowBits: 8…15; a value out of range counts as the nearest in range.
    /// - Returns: `nil` if zlib got no memory.
    public init?(windowBits: Int) {
        self.windowBits = min(max(windowBits, 8), 15)
        stream = .allocate(capacity: 1)
        stream.initialize(to: z_stream())
        tail = .allocate(byteCount: 4, alignment: 1)
        tail.copyBytes(from: [0x00, 0x00, 0xFF, 0xFF])
        // Negative: raw DEFLATE, without zlib's header and checksum.
        let code = inflateInit2_(
            stream, Int32(-self.windowBits), ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size))
        guard code == Z_OK else { return nil }
    }

    /// An inflater that continues where another one returned its ``history()``.
    ///
    /// - Parameter history: the last inflated bytes; at most a window of them is used.
    /// - Returns: `nil` if zlib got no memory.
    public convenience init?(windowBits: Int, history: [UInt8]) {
        self.init(windowBits: windowBits)
        let code = history.withUnsafeBytes { bytes in
            inflateSetDictionary(
                stream, bytes.baseAddress?.assumingMemoryBound(to: Bytef.self),
                uInt(clamping: bytes.count))
        }
        guard history.isEmpty || code == Z_OK else { return nil }
    }

    deinit {
        // Does nothing if there is no state.
        inflateEnd(stream)
        stream.deallocate()
        tail.deallocate()
    }

    /// Begins with the next part of a message's payload.
    ///
    /// - Parameters:
    ///   - bytes: of any size; they must stay valid until ``next(into:)`` has returned an empty
    ///     piece.
    ///   - isLast: whether the message ends with it, so that the next part begins another message.
    public func begin(_ bytes: UnsafeRawBufferPointer, isLast: Bool) {
        if self.isLast { endedWithFinalBlock = false }
        self.isLast = isLast
        wasTailGiven = false
        mayHoldOutput = false
        rest = bytes
        stream.pointee.avail_in = 0
    }

    /// The next piece of the inflated data.
    ///
    /// All pieces but the last of a part are full. The work for a piece is bounded by its size and
    /// that of the part, so the caller can stop at a limit after each.
    ///
    /// - Parameter output: the memory to write to; not empty.
    /// - Returns: the beginning of `output`; empty: the part is used up.
    /// - Throws: ``ProtocolError/invalidCompressedData``, once everything before the error has been
    ///   returned, and again from each later call until ``reset()``.
    public func next(
        into output: UnsafeMutableRawBufferPointer
    ) throws(ProtocolError) -> UnsafeRawBufferPointer {
        precondition(!output.isEmpty, "no memory to inflate into")
        let roomByteCount = min(output.count, Self.stepByteLimit)
        stream.pointee.next_out = output.baseAddress?.assumingMemoryBound(to: Bytef.self)
        stream.pointee.avail_out = uInt(roomByteCount)
        while !isBroken, stream.pointee.avail_out > 0, mayHoldOutput || hasInput() { step() }
        let byteCount = roomByteCount &- Int(stream.pointee.avail_out)
        if byteCount == 0, isBroken || (isLast && !isAtBlockEnd) {
            isBroken = true
            throw .invalidCompressedData
        }
        return UnsafeRawBufferPointer(rebasing: output[..<byteCount])
    }

    /// Clears the window and any error, before the next message without context takeover.
    public func reset() {
        isBroken = inflateReset(stream) != Z_OK
        begin(UnsafeRawBufferPointer(start: nil, count: 0), isLast: false)
        endedWithFinalBlock = false
    }

    /// The bytes that the next message may refer to: the last inflated ones, at most a window.
    ///
    /// Only valid between messages: the state of an unfinished block is not part of it.
    public func history() -> [UInt8] {
        [UInt8](unsafeUninitializedCapacity: 1 << windowBits) { buffer, byteCount in
            var historyByteCount: uInt = 0
            let code = inflateGetDictionary(stream, buffer.baseAddress, &historyByteCount)
            byteCount = code == Z_OK ? Int(historyByteCount) : 0
        }
    }

    /// zlib counts in 32 bits.
    private static let stepByteLimit = 1 << 30

    /// Whether zlib has input, after it was given more if necessary.
    private func hasInput() -> Bool {
        if stream.pointee.avail_in > 0 { return true }
        if !rest.isEmpty {
            show(UnsafeRawBufferPointer(rebasing: rest.prefix(Self.stepByteLimit)))
            rest = UnsafeRawBufferPointer(rebasing: rest.dropFirst(Self.stepByteLimit))
            return true
        }
        guard isLast, !wasTailGiven else { return false }
        wasTailGiven = true
        // After a final block §7.2.3.4 has one byte 00, the beginning of the block that the tail
        // completes. Some senders leave it out; then the message is complete without the tail.
        if endedWithFinalBlock { return false }
        show(UnsafeRawBufferPointer(tail))
        return true
    }

    private func show(_ bytes: UnsafeRawBufferPointer) {
        stream.pointee.next_in = bytes.baseAddress?.assumingMemoryBound(to: Bytef.self)
        stream.pointee.avail_in = uInt(bytes.count)
    }

    /// Runs zlib until the input is used up, the output is full or a final block has ended.
    private func step() {
        switch inflate(stream, Z_SYNC_FLUSH) {
        case Z_OK:
            endedWithFinalBlock = false
            // zlib.h on data_type: 128 after a block's end, 64 inside a final block, and below that
            // the count of bits not used of the last byte.
            isAtBlockEnd = stream.pointee.data_type & 0xFF == 128
            mayHoldOutput = stream.pointee.avail_out == 0
        case Z_STREAM_END:
            // BFINAL ends a DEFLATE stream, but no message. This keeps the window where it is;
            // to put it back by way of `history` would let a peer make us copy 32 KiB for every
            // two bytes sent.
            isBroken = inflateResetKeep(stream) != Z_OK
            endedWithFinalBlock = true
            isAtBlockEnd = true
            mayHoldOutput = false
        case Z_BUF_ERROR where stream.pointee.avail_in == 0:
            // zlib had nothing more. data_type has lost its 128 now.
            mayHoldOutput = false
        default:
            isBroken = true
        }
    }
}
