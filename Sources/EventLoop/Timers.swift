/// One thing to do later on a loop. Belongs to the loop's thread.
public final class Timer {
    @exclusivity(unchecked) fileprivate(set) var deadline = MonotonicTime(nanoseconds: 0)
    /// Its place in the heap; -1: not scheduled.
    @exclusivity(unchecked) fileprivate var index = -1
    @exclusivity(unchecked) private var whenDue: WhenDue

    private enum WhenDue {
        case nothing
        case run(() -> Void)
        case notify(Unowned)
    }

    private struct Unowned { unowned let target: any TimerTarget }

    init(_ action: @escaping () -> Void) { whenDue = .run(action) }
    package init() { whenDue = .nothing }

    /// Has it call `target` from now on, which it does not keep.
    package func notify(_ target: any TimerTarget) { whenDue = .notify(Unowned(target: target)) }

    func action() {
        switch whenDue {
        case .nothing: break
        case .run(let action): action()
        case .notify(let unowned): unowned.target.timerFired()
        }
    }

    public var isScheduled: Bool { index >= 0 }
}

/// Who has one timer and needs no closure for it.
package protocol TimerTarget: AnyObject {
    func timerFired()
}

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
