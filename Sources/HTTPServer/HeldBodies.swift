import Synchronization

/// Counts the bytes of all request bodies that are kept in memory. For any thread.
package final class HeldBodies: Sendable {
    private let byteLimit: Int
    private let byteCount = Atomic<Int>(0)

    package init(byteLimit: Int) { self.byteLimit = byteLimit }

    /// Counts bytes of a body; false if all together are more than may be kept. They are counted
    /// all the same, until ``countOut(_:)``.
    func countIn(_ more: Int) -> Bool {
        byteCount.add(more, ordering: .relaxed).newValue <= byteLimit
    }

    func countOut(_ less: Int) { byteCount.subtract(less, ordering: .relaxed) }
}
