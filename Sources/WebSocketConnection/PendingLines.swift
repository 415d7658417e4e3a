import EventLoop
import Glibc
import Synchronization

/// Lines of a log that wait for the end of their loop's turn, to be written together.
///
/// In memory that a signal handler can look at: if the process traps meanwhile, they are written
/// then.
///
/// `@unchecked Sendable`: the memory and `lineCount` are touched under the log's lock, and read by
/// the handler of a crash, which goes by the atomic count of what is complete.
final class PendingLines: CrashWitness, @unchecked Sendable {
    private let memory = UnsafeMutableRawPointer.allocate(byteCount: byteLimit, alignment: 1)
    private let byteCount = Atomic<Int>(0)
    /// Where they go.
    let descriptor: Atomic<Int32>
    private(set) var lineCount = 0

    /// 4 KiB: some 40 lines.
    static let byteLimit = 4_096

    init(descriptor: Int32) { self.descriptor = Atomic(descriptor) }

    deinit { memory.deallocate() }

    /// From any thread.
    var isEmpty: Bool { byteCount.load(ordering: .relaxed) == 0 }

    var bytes: UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(start: memory, count: byteCount.load(ordering: .relaxed))
    }

    /// - Returns: false if there is no room for the line.
    func append(_ line: UnsafeRawBufferPointer) -> Bool {
        let end = byteCount.load(ordering: .relaxed)
        guard line.count <= Self.byteLimit - end else { return false }
        UnsafeMutableRawBufferPointer(start: memory + end, count: line.count).copyMemory(from: line)
        lineCount += 1
        byteCount.store(end + line.count, ordering: .releasing)
        return true
    }

    func removeAll() {
        lineCount = 0
        byteCount.store(0, ordering: .releasing)
    }

    func crashed() {
        let count = byteCount.exchange(0, ordering: .acquiring)
        if count > 0 { _ = write(descriptor.load(ordering: .relaxed), memory, count) }
    }
}
