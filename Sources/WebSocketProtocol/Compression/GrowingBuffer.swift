/// Raw memory that is used again and again and grows as needed. Belongs to one thread.
public final class GrowingBuffer {
    /// 256 KiB: what ``trim()`` leaves. Most messages need less, and there is one per thread.
    public static let keptByteCount = 256 << 10

    /// All of the memory.
    private(set) var bytes = UnsafeMutableRawBufferPointer(start: nil, count: 0)

    public init() {}

    deinit { bytes.deallocate() }

    /// Sees to it that there are so many bytes.
    ///
    /// - Parameter keptByteCount: how many at the beginning move along if the memory has to.
    func reserve(_ byteCount: Int, keeping keptByteCount: Int = 0) {
        guard byteCount > bytes.count else { return }
        let larger = UnsafeMutableRawBufferPointer.allocate(byteCount: byteCount, alignment: 16)
        larger.copyMemory(from: UnsafeRawBufferPointer(rebasing: bytes.prefix(keptByteCount)))
        bytes.deallocate()
        bytes = larger
    }

    /// Gives the memory back if it is over ``keptByteCount``. What was written to it is gone then.
    public func trim() {
        guard bytes.count > Self.keptByteCount else { return }
        bytes.deallocate()
        bytes = UnsafeMutableRawBufferPointer(start: nil, count: 0)
    }
}
