/// Bytes waiting to be written: added at the end, taken from the front.
///
/// Raw memory rather than an array, because frames are serialised straight into it. Belongs to its
/// loop's thread.
final class ByteQueue {
    private var base: UnsafeMutableRawPointer
    private var capacity: Int
    private var start = 0
    private var end = 0

    /// 16 KiB to begin with: what one turn of most connections answers.
    static let initialCapacity = 16_384
    /// A queue that grew beyond 256 KiB is freed rather than kept for the next connection.
    static let keptCapacityLimit = 262_144

    init() {
        capacity = Self.initialCapacity
        base = .allocate(byteCount: capacity, alignment: 16)
    }

    deinit { base.deallocate() }

    var count: Int { end &- start }
    var isWorthKeeping: Bool { capacity <= Self.keptCapacityLimit }
    var bytes: UnsafeRawBufferPointer { .init(start: base + start, count: count) }

    /// Room for `byteCount` more bytes at the end; ``commit(_:)`` makes them part of the queue.
    func reserve(_ byteCount: Int) -> UnsafeMutableRawPointer {
        if capacity &- end < byteCount { makeRoom(byteCount) }
        return base + end
    }

    func commit(_ byteCount: Int) {
        precondition(byteCount >= 0 && byteCount <= capacity - end)
        end &+= byteCount
    }

    func removeFirst(_ byteCount: Int) {
        precondition(byteCount >= 0 && byteCount <= count)
        start &+= byteCount
        if start == end { (start, end) = (0, 0) }
    }

    func removeAll() { (start, end) = (0, 0) }

    private func makeRoom(_ byteCount: Int) {
        let kept = count
        if kept + byteCount <= capacity && start >= capacity / 2 {
            base.copyMemory(from: base + start, byteCount: kept)
        } else {
            capacity = max(capacity * 2, kept + byteCount)
            let larger = UnsafeMutableRawPointer.allocate(byteCount: capacity, alignment: 16)
            larger.copyMemory(from: base + start, byteCount: kept)
            base.deallocate()
            base = larger
        }
        (start, end) = (0, kept)
    }
}
