import Synchronization

/// A row of 64-bit words that one thread counts in, and any other may look at: in memory of
/// somebody else, which may be shared with other processes and outlive this one.
///
/// One writer for each word, so no locked instruction is needed: it loads, adds and stores. Readers
/// see each word as it was a moment ago, never a part of it.
///
/// `@unchecked Sendable`: all access to the words is atomic. Whoever made the row keeps its memory.
package struct CounterCells: @unchecked Sendable {
    package let base: UnsafeMutablePointer<Atomic<Int>>

    /// - Parameter memory: aligned to 8 bytes.
    package init(_ memory: UnsafeMutableRawPointer) {
        base = memory.assumingMemoryBound(to: Atomic<Int>.self)
    }

    /// The words from one of them on.
    package func from(_ index: Int) -> CounterCells {
        CounterCells(UnsafeMutableRawPointer(base + index))
    }

    /// On the thread of the writer. Wraps around instead of trapping: another process may have
    /// written anything.
    @inlinable @inline(__always)
    package func add(_ amount: Int, to index: Int) {
        set(index, to: value(index) &+ amount)
    }

    /// On the thread of the writer.
    @inlinable @inline(__always)
    package func set(_ index: Int, to value: Int) {
        base[index].store(value, ordering: .relaxed)
    }

    /// From any thread.
    @inlinable @inline(__always)
    package func value(_ index: Int) -> Int { base[index].load(ordering: .relaxed) }
}

/// A row of counters of this process's own, for whoever is given no other.
package final class OwnCells: Sendable {
    package let cells: CounterCells

    package init(count: Int) {
        let memory = UnsafeMutableRawPointer.allocate(
            byteCount: max(1, count) * MemoryLayout<Int>.stride, alignment: 8)
        memory.initializeMemory(as: Int.self, repeating: 0, count: max(1, count))
        cells = CounterCells(memory)
    }

    deinit { UnsafeMutableRawPointer(cells.base).deallocate() }
}
