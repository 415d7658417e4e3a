import CSwiftTasks

/// Tells tasks apart, at the price of two calls of the runtime: it is asked for with each message.
struct TaskIdentity: Equatable, Sendable {
    /// The task's address; 0: outside of any task.
    private let address: UInt

    /// The task, which is running or waits for whoever asks; `nil` outside of any.
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
