/// One thing to do later on a loop. Belongs to the loop's thread.
public final class Timer {
    @exclusivity(unchecked) var deadline = MonotonicTime(nanoseconds: 0)
    /// Its place in the heap; -1: not scheduled.
    @exclusivity(unchecked) var index = -1
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

/// What a timer notifies without a closure.
package protocol TimerTarget: AnyObject {
    func timerFired()
}
