import CLinux

/// Has the processor fetch memory ahead of its use, without waiting for it.
///
/// With thousands of connections, each has left the processor's caches by the time it has something to do again.
package enum Prefetch {
    private static let lineByteCount = 64

    /// - Parameter lineCount: of 64 bytes each, from the object's beginning on.
    @inline(__always)
    package static func object(_ object: AnyObject, lineCount: Int) {
        let start = UnsafeRawPointer(Unmanaged.passUnretained(object).toOpaque())
        for line in 0..<lineCount { linux_prefetch(start + line &* lineByteCount) }
    }

    /// The task that waits.
    @inline(__always)
    package static func task<Success, Failure: Error>(of continuation: UnsafeContinuation<Success, Failure>) {
        linux_prefetch(unsafeBitCast(continuation, to: UnsafeRawPointer.self))
    }
}
