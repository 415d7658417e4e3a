/// Tells tasks apart.
struct TaskIdentity: Equatable, Sendable {
    /// The task's address; 0: outside of any task.
    private let address: UInt

    /// Not its hash, which is computed anew each time: this is asked for with each message.
    static var current: Self {
        withUnsafeCurrentTask { Self(address: $0.map { unsafeBitCast($0, to: UInt.self) } ?? 0) }
    }
}
