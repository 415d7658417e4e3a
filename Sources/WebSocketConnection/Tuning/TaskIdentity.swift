import CSwiftTasks

/// Tells tasks apart by their addresses.
///
/// Each message asks for it. The runtime's own functions take 50 instructions;
/// `withUnsafeCurrentTask` and `Task.isCancelled` take 430. The runtime exports both functions for
/// compiled code, so a program that was built for it has them.
struct TaskIdentity: Equatable, Sendable {
    /// The task's address; 0: outside of any task.
    private let address: UInt

    /// The task, which is running or waits for the caller; `nil` outside of any.
    var task: AnyObject? {
        UnsafeRawPointer(bitPattern: address).map {
            Unmanaged<AnyObject>.fromOpaque($0).takeUnretainedValue()
        }
    }

    static var current: Self { Self(address: UInt(bitPattern: swift_task_getCurrent())) }

    /// Whether the running task was cancelled.
    static var currentIsCancelled: Bool {
        guard let task = swift_task_getCurrent() else { return false }
        return swift_task_isCancelled(task)
    }
}
