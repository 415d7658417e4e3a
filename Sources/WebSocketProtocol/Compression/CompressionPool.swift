/// The streams and memory that the connections of one thread share for messages without context
/// takeover (RFC 7692 §7.1.1). Belongs to that thread.
public final class CompressionPool {
    public let settings: CompressionSettings
    /// The output of deflating. The caller trims it after a large message.
    public let deflateOutput = GrowingBuffer()

    /// 64 KiB: the largest piece that is inflated before limits are checked again.
    public static let inflateOutputByteCount = 64 << 10

    private var inflateMemory: UnsafeMutableRawBufferPointer?
    private var idleInflaters: [Inflater] = []
    private var deflaters: [DeflaterClass: Deflater] = [:]

    public init(_ settings: CompressionSettings) { self.settings = settings }

    deinit { inflateMemory?.deallocate() }

    /// The output of inflating, ``inflateOutputByteCount`` bytes; allocated at its first use.
    public var inflateOutput: UnsafeMutableRawBufferPointer {
        if let inflateMemory { return inflateMemory }
        let memory = UnsafeMutableRawBufferPointer.allocate(
            byteCount: Self.inflateOutputByteCount, alignment: 16)
        inflateMemory = memory
        return memory
    }

    // MARK: Inflaters

    /// 4: one is in use for as long as a message takes to arrive, mostly within one read.
    private static let idleInflaterLimit = 4

    /// An inflater without history, of the largest window, for one message.
    ///
    /// - Returns: `nil` if zlib got no memory.
    public func takeInflater() -> Inflater? {
        idleInflaters.popLast() ?? Inflater(windowBits: 15)
    }

    /// Takes back an inflater of ``takeInflater()``, even in the middle of a message.
    public func giveBack(_ inflater: Inflater) {
        guard inflater.windowBits == 15, idleInflaters.count < Self.idleInflaterLimit,
            !idleInflaters.contains(where: { $0 === inflater })
        else { return }
        inflater.reset()
        idleInflaters.append(inflater)
    }

    // MARK: Deflaters

    /// Deflaters that are interchangeable.
    private struct DeflaterClass: Hashable {
        var windowBits: Int
        var memoryLevel: Int
    }

    /// 2 KiB: up to here 4 KiB of window and a small hash table give the same bytes as zlib's
    /// defaults for 32 KiB of memory instead of 256, and sooner: `deflateReset` clears the table.
    private static let smallByteLimit = 2 << 10
    private static let small = DeflaterClass(windowBits: 12, memoryLevel: 5)
    private static let large = DeflaterClass(windowBits: 15, memoryLevel: 8)

    /// A deflater without history, for one message or piece. It need not be given back, but the
    /// next call may return the same one.
    ///
    /// - Parameters:
    ///   - windowBits: 8…15, as negotiated; the deflater's window is never larger.
    ///   - byteCount: the number of bytes to compress.
    /// - Returns: `nil` if zlib got no memory.
    public func deflater(windowBits: Int, forByteCount byteCount: Int) -> Deflater? {
        var kind = byteCount <= Self.smallByteLimit ? Self.small : Self.large
        kind.windowBits = min(kind.windowBits, max(windowBits, 9))
        if let deflater = deflaters[kind] {
            deflater.reset()
            return deflater
        }
        let deflater = Deflater(
            level: settings.level, windowBits: kind.windowBits, memoryLevel: kind.memoryLevel)
        deflaters[kind] = deflater
        return deflater
    }
}
