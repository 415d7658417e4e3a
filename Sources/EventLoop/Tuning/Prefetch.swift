import CLinux

/// Has the processor fetch memory ahead of its use, without waiting for it.
///
/// With thousands of connections, each has left the processor's caches by the time it has something
/// to do again. At 1,000 connections an echo gains 3 % by the objects (docs/PERFORMANCE.md). Where
/// an object is laid out otherwise one day, lines are fetched in vain, no more.
package enum Prefetch {
    private static let lineByteCount = 64

    /// Where an object lies. Apart from ``lines(_:from:)``, so that the object is let go of before
    /// its memory is fetched: counting a reference would wait for it.
    @inline(__always)
    package static func address(of object: AnyObject) -> UnsafeRawPointer {
        UnsafeRawPointer(Unmanaged.passUnretained(object).toOpaque())
    }

    /// - Parameter lines: of 64 bytes each, counted from the one that `start` lies in.
    @inline(__always)
    package static func lines(_ lines: Range<Int>, from start: UnsafeRawPointer) {
        for line in lines { linux_prefetch(start + line &* lineByteCount) }
    }
}

extension Stream {
    /// The delegate's memory comes while the kernel copies what was received.
    @inline(__always)
    func prefetchDelegate() {
        guard let start = currentDelegate.map({ Prefetch.address(of: $0) }) else { return }
        Prefetch.lines(0..<4, from: start)
    }
}

extension SourceTable {
    /// The source whose event comes after the next one.
    @inline(__always)
    func prefetch(_ token: UInt64) {
        guard let start = self[token].map({ Prefetch.address(of: $0) }) else { return }
        Prefetch.lines(0..<3, from: start)
    }
}
