import Counting

/// What the memory of the metrics said at one time: the cells of all blocks, added up.
///
/// Each cell is read once, one after the other, while others count on. What has ended is read
/// before what has begun, so that nothing seems to have ended before it began.
struct MetricsSnapshot {
    /// The cells of one route, or of all loops, or of all processes.
    struct Row {
        private(set) var sums = [Int](repeating: 0, count: MetricsLayout.cellLimit)
        private(set) var largest = [Int](repeating: 0, count: MetricsLayout.cellLimit)

        fileprivate mutating func add(_ cells: CounterCells) {
            for index in sums.indices {
                let value = cells.value(index)
                sums[index] &+= value
                largest[index] = max(largest[index], value)
            }
        }
    }

    /// By name.
    private(set) var routes: [(name: String, row: Row)] = []
    private(set) var loops = Row()
    private(set) var processes = Row()

    init(_ memory: MetricsMemory) {
        var rowOfRoute = rows(of: memory)
        for index in 0..<memory.blockCount {
            guard let key = memory.key(ofBlock: index) else { continue }
            let cells = memory.cells(ofBlock: index)
            switch key.kind {
            case .loop: loops.add(cells)
            case .process: processes.add(cells)
            case .route:
                // Of a route that was added a moment ago there is nothing to show yet.
                guard rowOfRoute.indices.contains(key.route), let row = rowOfRoute[key.route] else {
                    continue
                }
                routes[row].row.add(cells)
            }
        }
        rowOfRoute = []
        routes.sort { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }
    }

    /// Makes a row for each name.
    ///
    /// - Returns: for each route the row of its name; two routes may have one name.
    private mutating func rows(of memory: MetricsMemory) -> [Int?] {
        var rows: [String: Int] = [:]
        return (0..<memory.routeCount).map { index in
            guard let name = memory.name(ofRoute: index) else { return nil }
            if let row = rows[name] { return row }
            rows[name] = routes.count
            routes.append((name, Row()))
            return routes.count - 1
        }
    }
}
