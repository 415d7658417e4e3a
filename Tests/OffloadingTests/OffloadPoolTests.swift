import EventLoop
import LoopTesting
import Testing

@testable import Offloading

@Suite("Calls on threads of their own")
struct OffloadPoolTests {
    private struct Failure: Error, Equatable { let number: Int }

    private func pool(
        threads: Int = 4, waiting: Int = 100, idle: Duration = .seconds(3_600)
    ) -> OffloadPool {
        var settings = OffloadSettings()
        settings.threadCountLimit = threads
        settings.waitingCallLimit = waiting
        settings.idleTimeout = idle
        return OffloadPool(settings)
    }

    /// Waits without a limit of its own: a test that hangs is one that failed.
    private func until(_ isTrue: () -> Bool) async { while !isTrue() { await Task.yield() } }

    @Test("a call returns what its work returns, and throws what it throws")
    func results() async throws {
        let pool = pool()
        #expect(try await pool.run { 7 } == 7)
        await #expect(throws: Failure(number: 3)) {
            try await pool.run { throw Failure(number: 3) }
        }
        #expect(try await offload { "shared" } == "shared")
    }

    @Test("calls that block run side by side, as many as there may be threads")
    func sideBySide() async throws {
        let pool = pool(threads: 3)
        let (running, mayEnd) = (Watched(0), Watched(false))
        try await withThrowingTaskGroup(of: Bool.self) { group in
            for _ in 0..<5 {
                group.addTask {
                    try await pool.run {
                        running.update { $0 += 1 }
                        return mayEnd.wait()
                    }
                }
            }
            await until { pool.counts == (3, 2) && running.value == 3 }
            mayEnd.set()
            for try await isInTime in group { #expect(isInTime) }
        }
        #expect(running.value == 5)
        #expect(pool.counts.threads == 3)
    }

    @Test("calls run in their order, and a thread is used again")
    func order() async throws {
        let pool = pool(threads: 1)
        let (order, mayEnd) = (Watched<[Int]>([]), Watched(false))
        let first = Task { try await pool.run { mayEnd.wait() } }
        await until { pool.counts == (1, 0) }
        var tasks: [Task<Void, any Error>] = []
        for number in 0..<20 {
            tasks.append(Task { try await pool.run { order.update { $0.append(number) } } })
            await until { pool.counts.waiting == number + 1 }
        }
        mayEnd.set()
        #expect(try await first.value)
        for task in tasks { try await task.value }
        #expect(order.value == Array(0..<20))
        #expect(pool.counts == (1, 0))
    }

    @Test("more calls than may wait throw, and the others are as before")
    func limit() async throws {
        let pool = pool(threads: 1, waiting: 1)
        let mayEnd = Watched(false)
        let first = Task { try await pool.run { mayEnd.wait() } }
        await until { pool.counts == (1, 0) }
        let second = Task { try await pool.run { 2 } }
        await until { pool.counts == (1, 1) }
        await #expect(throws: OffloadError.tooManyCalls(limit: 1)) { try await pool.run { 3 } }
        mayEnd.set()
        #expect(try await first.value)
        #expect(try await second.value == 2)
    }

    @Test("a call whose thread is being started does not wait, however slow the start is")
    func limitWhileThreadsStart() async throws {
        for _ in 0..<200 {
            let pool = pool(threads: 2, waiting: 1, idle: .milliseconds(1))
            let (mayEnd, refused) = (Watched(false), Watched<[Int]>([]))
            // On one thread, so that all four are admitted before the pool's threads run, mostly.
            let loop = try Loop()
            let thread = try loop.start()
            await withTaskGroup(of: Void.self) { group in
                for number in 0..<4 {
                    group.addTask(executorPreference: loop) {
                        do {
                            _ = try await pool.run { mayEnd.wait() }
                        } catch {
                            refused.update { $0.append(number) }
                            mayEnd.set()
                        }
                    }
                }
            }
            loop.stop()
            thread.join()
            #expect(refused.value == [3])
        }
    }

    @Test(
        "a limit of one is told in the singular",
        arguments: [
            (0, "0 calls of offload wait"), (1, "1 call of offload waits"),
            (2, "2 calls of offload wait"),
        ])
    func limitText(limit: Int, text: String) {
        #expect(
            OffloadError.tooManyCalls(limit: limit).description
                == "\(text) for a thread already (--offload-queue)")
    }

    @Test("a cancelled call that waits never begins; one that runs is waited for")
    func cancellation() async throws {
        let pool = pool(threads: 1)
        let (mayEnd, hasRun) = (Watched(false), Watched(false))
        let first = Task { try await pool.run { mayEnd.wait() } }
        await until { pool.counts == (1, 0) }
        let second = Task { try await pool.run { hasRun.set() } }
        await until { pool.counts == (1, 1) }
        second.cancel()
        await #expect(throws: CancellationError.self) { try await second.value }
        #expect(pool.counts == (1, 0))
        first.cancel()
        mayEnd.set()
        #expect(try await first.value, "it had begun")
        #expect(!hasRun.value)
    }

    @Test("a task that is cancelled before its call does not run it")
    func cancelledBefore() async throws {
        let pool = pool()
        let (mayCall, hasRun) = (Watched(false), Watched(false))
        let task = Task {
            while !Task.isCancelled { await Task.yield() }
            try await pool.run { hasRun.set() }
        }
        task.cancel()
        mayCall.set()
        await #expect(throws: CancellationError.self) { try await task.value }
        #expect(!hasRun.value)
    }

    @Test("idle threads end, and are started again")
    func idleEnd() async throws {
        let pool = pool(idle: .milliseconds(1))
        for number in 0..<3 {
            #expect(try await pool.run { number } == number)
            await until { pool.counts.threads == 0 }
        }
    }

    @Test("the caller goes on where it was, on its loop")
    func resumesOnLoop() async throws {
        let loop = try Loop()
        let thread = try loop.start()
        let (isOnLoop, isOffloaded) = await Task(executorPreference: loop) {
            let isOffloaded = try? await offload { !loop.isCurrent }
            return (loop.isCurrent, isOffloaded)
        }.value
        #expect(isOnLoop)
        #expect(isOffloaded == true)
        loop.stop()
        thread.join()
    }

    @Test("a crash is named after the route that made the call")
    func activity() async throws {
        let loop = try Loop()
        let thread = try loop.start()
        let activity = await Task(executorPreference: loop) {
            loop.note(activity: 11)
            return try? await offload { ThreadActivity.current }
        }.value
        #expect(activity == 11)
        loop.stop()
        thread.join()
    }
}

@Suite("The queue of calls")
struct CallQueueTests {
    @Test("first in, first out, also with some removed")
    func order() {
        var queue = CallQueue()
        var expected: [Int] = []
        var tickets: [Int: OffloadPool.Ticket] = [:]
        func number(_ call: OffloadPool.Call?) -> Int? {
            tickets.first { $0.value === call?.ticket }?.key
        }
        for step in 0..<200 {
            let ticket = OffloadPool.Ticket()
            tickets[step] = ticket
            queue.append(OffloadPool.Call(ticket: ticket, run: {}, fail: { _ in }))
            expected.append(step)
            if step % 3 == 0 { #expect(number(queue.popFirst()) == expected.removeFirst()) }
            if step % 5 == 4 {
                let index = expected.count / 2
                let wanted = tickets[expected.remove(at: index)]
                #expect(queue.remove { $0.ticket === wanted }?.ticket === wanted)
            }
            #expect(queue.count == expected.count)
        }
        #expect(queue.remove { _ in false } == nil)
        #expect(queue.removeAll().map(number) == expected)
        #expect(queue.isEmpty && queue.popFirst() == nil)
    }
}
