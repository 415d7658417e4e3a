/// Calls in the order in which they came. Taking the first costs the same however many there are.
struct CallQueue {
    private var calls: [OffloadPool.Call?] = []
    private var firstIndex = 0

    var count: Int { calls.count - firstIndex }
    var isEmpty: Bool { count == 0 }

    mutating func append(_ call: OffloadPool.Call) { calls.append(call) }

    mutating func popFirst() -> OffloadPool.Call? {
        guard !isEmpty else { return nil }
        let call = calls[firstIndex]
        calls[firstIndex] = nil
        firstIndex += 1
        // Half of it is empty: as many steps as were taken before.
        if firstIndex * 2 >= calls.count {
            calls.removeFirst(firstIndex)
            firstIndex = 0
        }
        return call
    }

    /// Removes one from the midst, in steps as many as there are calls.
    mutating func remove(where isWanted: (OffloadPool.Call) -> Bool) -> OffloadPool.Call? {
        let index = calls[firstIndex...].firstIndex { $0.map(isWanted) ?? false }
        guard let index else { return nil }
        return calls.remove(at: index)
    }

    mutating func removeAll() -> [OffloadPool.Call] {
        defer {
            calls = []
            firstIndex = 0
        }
        return calls.compactMap(\.self)
    }
}
