import Counting
import WebSocketConnection

extension MetricsMemory {
    /// All metrics, as text. From any thread.
    package func text(_ given: GivenValues, _ format: MetricsFormat) -> [UInt8] {
        Exposition(MetricsSnapshot(self), given, format).bytes
    }

    /// The process IDs that living processes have noted: see ``ProcessCells/processID``.
    package var processIDs: [Int] {
        let places = (0..<blockCount).filter { key(ofBlock: $0)?.kind == .process }
        return places.map { cells(ofBlock: $0).value(ProcessCells.processID) }.filter { $0 > 0 }
    }

    /// Ends what the process of a place has left open: it has ended, and counts nothing any more.
    ///
    /// Its connections have ended with it. What only grows stays as it is.
    package func free(place: Int) {
        for index in 0..<blockCount {
            guard let key = key(ofBlock: index), key.place == place else { continue }
            let cells = cells(ofBlock: index)
            switch key.kind {
            case .route:
                let ended = ConnectionCounters.closesByClient..<ConnectionCounters.routeCellCount
                let open = ended.reduce(cells.value(RouteCells.accepted)) { $0 &- cells.value($1) }
                if open > 0 { ConnectionCounters.lost(open, in: cells) }
            case .loop: cells.set(LoopCells.queuedBytes, to: 0)
            case .process:
                cells.set(ProcessCells.processID, to: 0)
                cells.set(ProcessCells.loopLag, to: 0)
            }
        }
    }
}
