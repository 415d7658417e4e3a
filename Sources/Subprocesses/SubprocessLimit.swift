import Synchronization

/// How many programs run at a time.
public final class SubprocessLimit: Sendable {
    /// Of ``withSubprocess(_:_:environment:folder:settings:onErrorLine:_:)`` and of programs in the
    /// handlers directory, together, in this process.
    public static let ofProcess = SubprocessLimit(count: 256)

    private let limit: Atomic<Int>
    private let runningCount = Atomic<Int>(0)

    public init(count: Int) { limit = Atomic(count) }

    /// `--max-programs`. 256: each is a process of its own and takes five descriptors with its
    /// connection. One that runs is not ended when this becomes less.
    public var count: Int {
        get { limit.load(ordering: .relaxed) }
        set { limit.store(newValue, ordering: .relaxed) }
    }

    /// Programs that run, or are about to.
    public var usedCount: Int { runningCount.load(ordering: .relaxed) }

    /// Takes a place for one program.
    package func takePlace() throws(SubprocessError) -> Place {
        let count = self.count
        guard runningCount.add(1, ordering: .relaxed).newValue <= count else {
            runningCount.subtract(1, ordering: .relaxed)
            throw .tooManySubprocesses(limit: count)
        }
        return Place(self)
    }

    /// A program's place; free again when nobody has this.
    package final class Place: Sendable {
        private let owner: SubprocessLimit

        fileprivate init(_ owner: SubprocessLimit) { self.owner = owner }

        deinit { owner.runningCount.subtract(1, ordering: .relaxed) }
    }
}
