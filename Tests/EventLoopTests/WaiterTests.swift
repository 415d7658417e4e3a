import Synchronization
import Testing

@testable import EventLoop

/// Something that tasks wait for.
///
/// `@unchecked Sendable`: everything mutable is touched on the loop's thread only.
private final class Bell: LoopBound, @unchecked Sendable {
    let loop: Loop
    var waiters: [Waiter<String>] = []
    var only: Waiter<String>?

    init() throws { loop = try Loop() }

    func wait(timeout: Duration? = nil) async -> String {
        await wait(timeout: timeout) { bell, waiter in
            bell.waiters.append(waiter)
        } interrupt: { bell, number, reason in
            bell.waiters.resume(number, returning: "\(reason)")
        }
    }

    /// Returns once so many tasks wait.
    func untilWaiting(_ count: Int) async {
        while await onLoop({ $0.waiters.count }) != count { await Task.yield() }
    }

    func ring() async { await onLoop { $0.waiters.resumeAll(returning: "rung") } }
}

@Suite("Waits on a loop")
struct WaiterTests {
    private func withBell(_ body: (Bell) async throws -> Void) async throws {
        let bell = try Bell()
        let thread = try bell.loop.start()
        try await body(bell)
        bell.loop.stop()
        thread.join()
    }

    @Test("all are resumed, once", arguments: [1, 3])
    func all(_ count: Int) async throws {
        try await withBell { bell in
            let tasks = (0..<count).map { _ in Task { await bell.wait() } }
            await bell.untilWaiting(count)
            await bell.ring()
            await bell.ring()
            for task in tasks { #expect(await task.value == "rung") }
        }
    }

    @Test("on the loop's own thread as well")
    func onLoop() async throws {
        try await withBell { bell in
            let task = Task(executorPreference: bell.loop) { await bell.wait() }
            await bell.untilWaiting(1)
            await bell.ring()
            #expect(await task.value == "rung")
        }
    }

    @Test("a cancellation ends one wait and leaves the others", arguments: 0..<3)
    func cancellation(_ index: Int) async throws {
        try await withBell { bell in
            let tasks = (0..<3).map { _ in Task { await bell.wait() } }
            await bell.untilWaiting(3)
            tasks[index].cancel()
            #expect(await tasks[index].value == "cancelled")
            await bell.untilWaiting(2)
            await bell.ring()
            for (other, task) in tasks.enumerated() where other != index {
                #expect(await task.value == "rung")
            }
        }
    }

    @Test("a task that is cancelled already does not wait", arguments: [false, true])
    func cancelledBefore(_ isOnLoop: Bool) async throws {
        try await withBell { bell in
            let task = Task(executorPreference: isOnLoop ? bell.loop : nil) {
                withUnsafeCurrentTask { $0?.cancel() }
                return await bell.wait()
            }
            #expect(await task.value == "cancelled")
        }
    }

    @Test("a time limit ends the wait; a resumption ends the time limit")
    func timeLimit() async throws {
        try await withBell { bell in
            #expect(await bell.wait(timeout: .milliseconds(1)) == "timedOut")
            let task = Task { await bell.wait(timeout: .seconds(3_600)) }
            await bell.untilWaiting(1)
            #expect(await bell.onLoop { $0.loop.earliestDeadline } != nil)
            await bell.ring()
            #expect(await task.value == "rung")
            #expect(await bell.onLoop { $0.loop.earliestDeadline } == nil)
        }
    }

    @Test("a single place is cleared, and only by its own number")
    func only() async throws {
        try await withBell { bell in
            let task = Task {
                await bell.wait { bell, waiter in bell.only = waiter }
            }
            while await bell.onLoop({ $0.only == nil }) { await Task.yield() }
            task.cancel()  // which this wait does not heed
            await bell.onLoop { bell in
                let number = bell.only?.number ?? 0
                bell.only.resume(number + 1, returning: "another")
                #expect(bell.only != nil)
                bell.only.resume(number, returning: "this")
                #expect(bell.only == nil)
                bell.only.resume(returning: "nobody")
            }
            #expect(await task.value == "this")
        }
    }
}
