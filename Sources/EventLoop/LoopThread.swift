import Glibc
import Synchronization

/// A thread of our own. It ends with its work, whether anyone waits for that or not.
///
/// `@unchecked Sendable`: the thread's identity is written once, before anyone else sees it.
public final class LoopThread: @unchecked Sendable {
    private var thread = pthread_t()
    private let isJoined = Atomic<Bool>(false)

    /// Starts `body` on a new thread.
    public init(_ body: @escaping @Sendable () -> Void) throws(SystemError) {
        let box = Unmanaged.passRetained(Body(body))
        let code = pthread_create(&thread, nil, runBody, box.toOpaque())
        guard code == 0 else {
            box.release()
            throw SystemError("pthread_create", code: code)
        }
    }

    deinit {
        if thread != 0 && !isJoined.load(ordering: .relaxed) { pthread_detach(thread) }
    }

    /// Waits until the thread has ended; at once the second time.
    public func join() {
        if !isJoined.exchange(true, ordering: .relaxed) { pthread_join(thread, nil) }
    }
}

private final class Body: Sendable {
    let run: @Sendable () -> Void
    init(_ run: @escaping @Sendable () -> Void) { self.run = run }
}

private func runBody(_ argument: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
    guard let argument else { return nil }
    let stack = SignalStack()
    Unmanaged<Body>.fromOpaque(argument).takeRetainedValue().run()
    stack.remove()
    return nil
}

/// Memory of its own for the signal handlers of the calling thread. Without it, nobody hears of a
/// recursion without end: there is no stack left to report it on.
private struct SignalStack {
    /// 64 KiB, none of which is used before there is a signal.
    private static let byteCount = 65_536
    private let memory: UnsafeMutableRawPointer?

    init() {
        let memory = mmap(
            nil, Self.byteCount, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
        guard let memory, memory != MAP_FAILED else {
            self.memory = nil
            return
        }
        self.memory = memory
        var stack = stack_t(ss_sp: memory, ss_flags: 0, ss_size: Self.byteCount)
        sigaltstack(&stack, nil)
    }

    func remove() {
        guard let memory else { return }
        var none = stack_t(ss_sp: nil, ss_flags: Int32(SS_DISABLE), ss_size: 0)
        sigaltstack(&none, nil)
        munmap(memory, Self.byteCount)
    }
}
