/// Bytes waiting to be written: added at the end, taken from the front.
///
/// Raw memory rather than an array, because frames are serialised straight into it; a value that
/// cannot be copied rather than an object, because counting references to one took longer than the
/// rest. Belongs to its loop's thread.
struct ByteQueue: ~Copyable {
    /// What stands in front of the bytes, in the same block of memory.
    fileprivate struct Header {
        var capacity: Int
        var start = 0
        var end = 0
    }

    private var block: UnsafeMutablePointer<Header>

    /// 16 KiB to begin with: what one turn of most connections answers.
    static let initialCapacity = 16_384
    /// A queue that grew beyond 256 KiB is freed rather than kept for the next connection.
    static let keptCapacityLimit = 262_144

    init() { block = Self.allocate(Self.initialCapacity) }

    fileprivate init(reusing block: UnsafeMutablePointer<Header>) { self.block = block }

    deinit { block.deallocate() }

    private static func allocate(_ capacity: Int) -> UnsafeMutablePointer<Header> {
        let memory = UnsafeMutableRawPointer.allocate(
            byteCount: MemoryLayout<Header>.stride + capacity, alignment: 16)
        let block = memory.bindMemory(to: Header.self, capacity: 1)
        block.initialize(to: Header(capacity: capacity))
        return block
    }

    private var base: UnsafeMutableRawPointer { UnsafeMutableRawPointer(block + 1) }

    var count: Int { block.pointee.end &- block.pointee.start }
    var isWorthKeeping: Bool { block.pointee.capacity <= Self.keptCapacityLimit }
    var bytes: UnsafeRawBufferPointer { .init(start: base + block.pointee.start, count: count) }

    /// Room for `byteCount` more bytes at the end; ``commit(_:)`` makes them part of the queue.
    mutating func reserve(_ byteCount: Int) -> UnsafeMutableRawPointer {
        if block.pointee.capacity &- block.pointee.end < byteCount { makeRoom(byteCount) }
        return base + block.pointee.end
    }

    mutating func commit(_ byteCount: Int) {
        precondition(byteCount >= 0 && byteCount <= block.pointee.capacity &- block.pointee.end)
        block.pointee.end &+= byteCount
    }

    mutating func removeFirst(_ byteCount: Int) {
        precondition(byteCount >= 0 && byteCount <= count)
        block.pointee.start &+= byteCount
        if count == 0 { removeAll() }
    }

    mutating func removeAll() { (block.pointee.start, block.pointee.end) = (0, 0) }

    private mutating func makeRoom(_ byteCount: Int) {
        let bytes = bytes
        let capacity = block.pointee.capacity
        if bytes.count + byteCount <= capacity && block.pointee.start >= capacity / 2 {
            base.copyMemory(from: base + block.pointee.start, byteCount: bytes.count)
            (block.pointee.start, block.pointee.end) = (0, bytes.count)
        } else {
            let larger = Self.allocate(max(capacity * 2, bytes.count + byteCount))
            UnsafeMutableRawBufferPointer(start: larger + 1, count: bytes.count).copyMemory(
                from: bytes)
            larger.pointee.end = bytes.count
            block.deallocate()
            block = larger
        }
    }

    fileprivate consuming func intoBlock() -> UnsafeMutablePointer<Header> {
        let block = block
        discard self
        return block
    }
}

/// Memory of queues that are empty, for the next stream that writes.
struct ByteQueuePool: ~Copyable {
    private var blocks: [UnsafeMutablePointer<ByteQueue.Header>] = []

    /// 64 queues of at most 256 KiB.
    private static let countLimit = 64

    deinit { for block in blocks { _ = ByteQueue(reusing: block) } }

    mutating func take() -> ByteQueue {
        blocks.popLast().map { ByteQueue(reusing: $0) } ?? ByteQueue()
    }

    mutating func giveBack(_ queue: consuming ByteQueue) {
        guard queue.isWorthKeeping, blocks.count < Self.countLimit else { return }
        queue.removeAll()
        blocks.append(queue.intoBlock())
    }
}
