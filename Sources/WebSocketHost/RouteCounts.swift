import Synchronization

/// How many connections of each route are open on one loop. Its thread counts, any other may look:
/// when a handler blocks the loop, the log says whom that concerns.
final class RouteCounts: Sendable {
    private let counts: [Count]

    private final class Count: Sendable { let value = Atomic<Int>(0) }

    init(routeCount: Int) { counts = (0..<routeCount).map { _ in Count() } }

    /// - Parameter index: the route's. On the loop's thread; no other writes, so no locked
    ///   instruction is needed.
    func add(_ change: Int, to index: Int) {
        guard counts.indices.contains(index) else { return }
        let count = counts[index]
        count.value.store(count.value.load(ordering: .relaxed) + change, ordering: .relaxed)
    }

    /// On the loop's thread.
    func reset() { for count in counts { count.value.store(0, ordering: .relaxed) } }

    /// By the routes' indices. From any thread.
    var values: [Int] { counts.map { $0.value.load(ordering: .relaxed) } }
}
