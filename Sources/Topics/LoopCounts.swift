import Synchronization

/// What became of the messages on one loop. Its thread counts, any other may look; no other writes,
/// so no locked instruction is needed.
final class LoopCounts: Sendable {
    private let delivered = Atomic<Int>(0)
    private let skipped = Atomic<Int>(0)
    private let closed = Atomic<Int>(0)

    func addDelivered(_ count: Int) { Self.add(count, to: delivered) }
    func addSkipped(_ count: Int) { Self.add(count, to: skipped) }
    func addClosed(_ count: Int) { Self.add(count, to: closed) }

    private static func add(_ count: Int, to sum: borrowing Atomic<Int>) {
        sum.store(sum.load(ordering: .relaxed) &+ count, ordering: .relaxed)
    }

    var values: TopicCounters {
        var counters = TopicCounters()
        counters.delivered = delivered.load(ordering: .relaxed)
        counters.skipped = skipped.load(ordering: .relaxed)
        counters.closed = closed.load(ordering: .relaxed)
        return counters
    }
}

extension TopicCounters {
    mutating func add(_ other: TopicCounters) {
        delivered += other.delivered
        skipped += other.skipped
        closed += other.closed
    }
}
