/// Memory that is reused, and grows as needed. Belongs to one thread.
public final class GrowingBuffer {
    /// 256 KiB: what ``trim()`` leaves. Most messages need less, and there is one per thread.
    public static let keptByteCount = 256 << 10

    /// All of the memory.
    private(set) var bytes = UnsafeMutableRawBufferPointer(start: nil, count: 0)

    public init() {}

    deinit { bytes.deallocate() }

    /// Makes the memory at least this large.
    ///
    /// - Parameter keptByteCount: how many bytes at the beginning are kept.
    func reserve(_ byteCount: Int, keeping keptByteCount: Int = 0) {
        guard byteCount > bytes.count else { return }
        let larger = UnsafeMutableRawBufferPointer.allocate(byteCount: byteCount, alignment: 16)
        larger.copyMemory(from: UnsafeRawBufferPointer(rebasing: bytes.prefix(keptByteCount)))
        bytes.deallocate()
        bytes = larger
    }

    /// Frees the memory, and its content, if it is larger than ``keptByteCount``.
    public func trim() {
        guard bytes.count > Self.keptByteCount else { return }
        bytes.deallocate()
        bytes = UnsafeMutableRawBufferPointer(start: nil, count: 0)
    }
}
