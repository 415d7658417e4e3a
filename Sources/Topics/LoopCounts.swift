import Counting

/// What became of the messages on one loop, in cells that its thread counts in and any other may
/// look at.
final class LoopCounts: Sendable {
    private let cells: CounterCells
    /// What keeps the cells, if they are its own.
    private let owner: AnyObject & Sendable
    /// What the cells of others said when this began: they outlive a process.
    private let before: TopicCounters

    enum Cell: Int, CaseIterable {
        /// Messages, as ``TopicCounters`` has them.
        case delivered, closed, skipped
        /// How often a subscriber fell behind, so that messages waited for it.
        case waiting
        /// Subscribers that were closed for being slow.
        case closedSubscribers
    }

    /// - Parameters:
    ///   - cells: ``TopicCells/count``; `nil`: of its own.
    ///   - owner: what keeps their memory.
    init(_ cells: (cells: CounterCells, owner: AnyObject & Sendable)?) {
        let own = OwnCells(count: cells == nil ? Cell.allCases.count : 0)
        self.cells = cells?.cells ?? own.cells
        owner = cells?.owner ?? own
        before = Self.values(self.cells)
    }

    func addDelivered(_ count: Int) { add(count, to: .delivered) }
    func addSkipped(_ count: Int) { add(count, to: .skipped) }
    func addClosed(_ count: Int) { add(count, to: .closed) }
    func addWaiting() { add(1, to: .waiting) }
    func addClosedSubscriber() { add(1, to: .closedSubscribers) }

    private func add(_ count: Int, to cell: Cell) { cells.add(count, to: cell.rawValue) }

    private static func values(_ cells: CounterCells) -> TopicCounters {
        var counters = TopicCounters()
        counters.delivered = cells.value(Cell.delivered.rawValue)
        counters.skipped = cells.value(Cell.skipped.rawValue)
        counters.closed = cells.value(Cell.closed.rawValue)
        return counters
    }

    /// Since this began.
    var values: TopicCounters {
        var counters = Self.values(cells)
        counters.subtract(before)
        return counters
    }
}

/// The cells that a loop's topics are counted in, for whoever gives their memory.
package enum TopicCells {
    package static let count = LoopCounts.Cell.allCases.count
    package static let delivered = LoopCounts.Cell.delivered.rawValue
    /// Messages that were left out.
    package static let skipped = LoopCounts.Cell.skipped.rawValue
    package static let waiting = LoopCounts.Cell.waiting.rawValue
    package static let closedSubscribers = LoopCounts.Cell.closedSubscribers.rawValue
}

extension TopicCounters {
    mutating func add(_ other: TopicCounters) {
        delivered += other.delivered
        skipped += other.skipped
        closed += other.closed
    }

    mutating func subtract(_ other: TopicCounters) {
        delivered &-= other.delivered
        skipped &-= other.skipped
        closed &-= other.closed
    }
}
