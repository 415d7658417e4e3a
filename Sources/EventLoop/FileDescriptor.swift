import Glibc

/// A descriptor of this process, which closes itself. An event source has a loop watch it.
///
/// Watching and closing belong to that loop's thread.
public struct FileDescriptor: ~Copyable, Sendable {
    /// -1 after ``release()``.
    public private(set) var number: Int32
    /// Watches it; `nil`: no loop does.
    private var loop: Loop?

    /// Takes over a descriptor that is open.
    public init(_ number: Int32) { self.number = number }

    /// Takes over what a system call returned.
    ///
    /// - Throws: why it returned none.
    package init(
        _ call: String, _ body: () -> Int32
    ) throws(SystemError) {
        self.init(try check(call, body))
    }

    deinit {
        guard number >= 0 else { return }
        loop?.forget(number)
        Glibc.close(number)
    }

    /// Gives it up unclosed and unwatched.
    public consuming func release() -> Int32 {
        unwatch()
        defer { number = -1 }
        return number
    }

    /// Has the loop call the source when the descriptor is ready, until it is closed or
    /// ``unwatch()`` is called. The loop keeps the source for as long.
    ///
    /// - Parameter isBatched: for streams only; see ``Loop``.
    public mutating func watch(
        _ interest: Readiness, by source: any EventSource, on loop: Loop, isBatched: Bool = false
    ) throws(SystemError) {
        try loop.add(number, interest, source, isBatched: isBatched)
        self.loop = loop
    }

    /// Changes what the source is called for.
    public func watch(_ interest: Readiness) throws(SystemError) {
        try loop?.modify(number, interest)
    }

    /// Ends that. Closing does it too, unless another process has a duplicate.
    public mutating func unwatch() {
        loop?.remove(number)
        loop = nil
    }
}
