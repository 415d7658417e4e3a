/// The timers of a loop, the earliest on top of a binary heap; all changes are O(log n).
struct Timers {
    private var heap: [Timer] = []

    var earliest: MonotonicTime? { heap.first?.deadline }
    var count: Int { heap.count }

    mutating func schedule(_ timer: Timer, at deadline: MonotonicTime) {
        if timer.index < 0 {
            timer.index = heap.count
            timer.deadline = deadline
            heap.append(timer)
            siftUp(timer.index)
        } else {
            let isLater = deadline > timer.deadline
            timer.deadline = deadline
            if isLater { siftDown(timer.index) } else { siftUp(timer.index) }
        }
    }

    mutating func cancel(_ timer: Timer) {
        let index = timer.index
        guard index >= 0 else { return }
        timer.index = -1
        let last = heap.removeLast()
        guard index < heap.count else { return }
        heap[index] = last
        last.index = index
        siftUp(index)
        siftDown(last.index)
    }

    /// Takes the earliest timer out if its time has come.
    mutating func popDue(at now: MonotonicTime) -> Timer? {
        guard let first = heap.first, first.deadline <= now else { return nil }
        cancel(first)
        return first
    }

    private mutating func siftUp(_ start: Int) {
        var index = start
        while index > 0 {
            let parent = (index - 1) / 2
            guard heap[index].deadline < heap[parent].deadline else { return }
            swap(index, parent)
            index = parent
        }
    }

    private mutating func siftDown(_ start: Int) {
        var index = start
        while true {
            var child = 2 * index + 1
            guard child < heap.count else { return }
            if child + 1 < heap.count && heap[child + 1].deadline < heap[child].deadline {
                child += 1
            }
            guard heap[child].deadline < heap[index].deadline else { return }
            swap(index, child)
            index = child
        }
    }

    private mutating func swap(_ index: Int, _ other: Int) {
        heap.swapAt(index, other)
        heap[index].index = index
        heap[other].index = other
    }
}
