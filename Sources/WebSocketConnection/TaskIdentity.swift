/// Tells tasks apart.
struct TaskIdentity: Equatable, Sendable {
    /// 0: outside of any task.
    private let hash: Int

    static var current: Self {
        withUnsafeCurrentTask { Self(hash: $0?.hashValue ?? 0) }
    }
}
