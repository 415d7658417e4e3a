import EventLoop
import WebSocketConnection

/// The tasks that the handlers of one loop run in. One that has come to its end takes the next
/// connection.
///
/// What it gains: to make a task and to end it takes 6 % of a handshake's instructions in user
/// space, which is 3 % of its CPU time. What it depends on: `_unsafeInheritExecutor…` as in
/// Connection+HandlerTask.swift. Without it ``begin(_:)`` is `Task(executorPreference:)` and a call
/// of ``run(_:)``.
///
/// `@unchecked Sendable`: everything mutable is touched on the loop's thread only.
final class HandlerTasks: @unchecked Sendable {
    private let loop: Loop
    @exclusivity(unchecked) private var resting: [Resting] = []
    private var hasEnded = false

    private typealias Work = Unmanaged<Handshake>

    private struct Resting {
        let task: Task<Void, Never>
        let continuation: UnsafeContinuation<Work?, Never>
    }

    /// 64 tasks: as many connections as come and go in one turn of a loop. Each keeps the memory of
    /// the handler that it ran last.
    private static let restingCountLimit = 64

    init(on loop: Loop) { self.loop = loop }

    /// - Returns: a task that will open the connection and run its handler.
    func begin(_ handshake: Handshake) -> Task<Void, Never> {
        // What a task's closure and frames hold lives as long as the connection, so the task takes
        // over the reference that is made here. It begins or goes on in any case.
        let work = Work.passRetained(handshake)
        if let resting = resting.popLast() {
            resting.continuation.resume(returning: work)
            return resting.task
        }
        return Task(executorPreference: loop) { [self] in
            var next: Work? = work
            while let work = next { next = await rest(Self.run(work)) }
        }
    }

    /// - Returns: the task, if another handler may run in it.
    @inline(never)
    private static nonisolated(nonsending) func run(_ work: Work) async -> Task<Void, Never>? {
        guard let (connection, transferData) = await work.takeRetainedValue().open() else {
            return nil
        }
        return await connection.run(transferData)
    }

    /// Waits for another connection.
    ///
    /// - Returns: `nil` if there will be none for this task.
    private nonisolated(nonsending) func rest(_ task: Task<Void, Never>?) async -> Work? {
        guard let task, loop.isCurrent, !hasEnded, resting.count < Self.restingCountLimit else {
            return nil
        }
        return await _unsafeInheritExecutor_withUnsafeContinuation {
            resting.append(Resting(task: task, continuation: $0))
        }
    }

    /// Lets the tasks end that wait, and those that work once they have done. On the loop's thread.
    func end() {
        hasEnded = true
        for task in resting { task.continuation.resume(returning: nil) }
        resting = []
    }
}
