import Counting
import Synchronization

/// The part of the metrics' memory that one process counts in.
///
/// A process that comes to the place of another counts on in its blocks, so nothing that was
/// counted is lost, and nothing is counted twice.
package final class MetricsPlace: Sendable {
    package let memory: MetricsMemory
    private let place: Int
    private let state: Mutex<State>
    /// The cells that the control loop, or the supervisor, counts in; see ``ProcessCells``.
    package let process: CounterCells

    fileprivate struct State {
        var blocks: [BlockKey: CounterCells] = [:]
        /// The numbers of the routes that were asked for, and of those that were there before.
        var routes: [String: Int] = [:]
        /// Where is counted what there is no room for, which nobody reads.
        var unread: [OwnCells] = []
    }

    /// - Parameter place: below 256; no other living process has it.
    package init(_ place: Int, in memory: MetricsMemory) {
        self.memory = memory
        let place = max(0, min(place, BlockKey.placeLimit - 1))
        self.place = place
        var state = State()
        for index in 0..<memory.routeCount {
            if let name = memory.name(ofRoute: index) { state.routes[name] = index }
        }
        for index in 0..<memory.blockCount {
            guard let key = memory.key(ofBlock: index), key.place == place else { continue }
            state.blocks[key] = memory.cells(ofBlock: index)
        }
        // Those first, so that there is always room for them.
        for name in [MetricsMemory.noRoute, MetricsMemory.otherRoute] {
            _ = state.number(ofRoute: name, in: memory)
        }
        process = state.cells(BlockKey(kind: .process, place: place), in: memory)
        self.state = Mutex(state)
    }

    /// The cells of a loop; see ``LoopCells``. From any thread.
    ///
    /// - Parameter lane: a number for the loop, below 4,096.
    package func loop(lane: Int) -> CounterCells {
        cells(BlockKey(kind: .loop, place: place, lane: lane % BlockKey.laneLimit))
    }

    /// The cells of a loop for a route; see ``RouteCells``. From any thread.
    ///
    /// - Parameter name: of the route; `nil`: for what has none.
    package func route(_ name: String?, lane: Int) -> CounterCells {
        state.withLock { state in
            let number =
                state.number(ofRoute: name ?? MetricsMemory.noRoute, in: memory)
                ?? state.number(ofRoute: MetricsMemory.otherRoute, in: memory) ?? 0
            let key = BlockKey(
                kind: .route, place: place, lane: lane % BlockKey.laneLimit, route: number)
            return state.cells(key, in: memory)
        }
    }

    private func cells(_ key: BlockKey) -> CounterCells {
        state.withLock { $0.cells(key, in: memory) }
    }

    /// Whether something is counted that is not shown, for want of room.
    package var isFull: Bool { state.withLock { !$0.unread.isEmpty } }
}

// MARK: - What a process counts about itself

extension MetricsPlace {
    /// - Parameter processID: of the process that has the place now.
    package func note(processID: Int) { process.set(ProcessCells.processID, to: processID) }

    /// - Parameter startTime: of the server, in nanoseconds since 1970.
    package func note(startTime: Int) { process.set(ProcessCells.startTime, to: startTime) }

    /// A server process was started.
    package func countStart(_ reason: ProcessStartReason) {
        process.add(1, to: ProcessCells.starts + reason.index)
    }
}

extension MetricsPlace.State {
    mutating func cells(_ key: BlockKey, in memory: MetricsMemory) -> CounterCells {
        if let cells = blocks[key] { return cells }
        let cells = memory.addBlock(key) ?? addUnread()
        blocks[key] = cells
        return cells
    }

    mutating func number(ofRoute name: String, in memory: MetricsMemory) -> Int? {
        if let number = routes[name] { return number }
        routes[name] = memory.route(named: name)
        return routes[name]
    }

    private mutating func addUnread() -> CounterCells {
        let own = OwnCells(count: MetricsLayout.cellLimit)
        unread.append(own)
        return own.cells
    }
}
