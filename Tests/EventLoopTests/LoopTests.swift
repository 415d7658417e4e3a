import CLinux
import Foundation
import LoopTesting
import Testing

@testable import EventLoop

extension EventLoopTests {
    @Suite("Loop")
    struct LoopTests {
        @Test func isCurrent() throws {
            let idle = try Loop()
            #expect(!idle.isCurrent, "nobody runs it yet")
            try withLoop { loop in
                #expect(!loop.loop.isCurrent)
                let (isCurrent, isIdleCurrent) = try loop { (loop.loop.isCurrent, idle.isCurrent) }
                #expect(isCurrent)
                #expect(!isIdleCurrent)
            }
            idle.stop()
            idle.run()
            #expect(!idle.isCurrent, "nobody runs it any more")
        }

        /// Each round finds the loop asleep, or about to fall asleep.
        @Test func submitWakes() throws {
            try withLoop { loop in
                for round in 0..<3_000 {
                    let answer = try loop { round }
                    #expect(answer == round)
                }
            }
        }

        @Test func submitFromManyThreads() throws {
            try withLoop { loop in
                let seen = Watched<[[Int]]>(Array(repeating: [], count: 4))
                let threads = try (0..<4).map { number in
                    try onThread {
                        for value in 0..<2_000 {
                            loop.loop.submit { seen.update { $0[number].append(value) } }
                        }
                    }
                }
                for thread in threads { thread.join() }
                #expect(seen.wait { $0.allSatisfy { $0.count == 2_000 } })
                // Those of one thread come in their order.
                #expect(seen.value.allSatisfy { $0 == Array(0..<2_000) })
            }
        }

        /// Two loops that hand a number to and fro: one lost wake-up ends it.
        @Test func noWakeUpIsLost() throws {
            final class Ball: Sendable {
                let loops: [Loop]
                let count = Watched(0)
                init(_ loops: [Loop]) { self.loops = loops }
                func pass(_ number: Int) {
                    guard number < 10_000 else { return count.update { $0 += 1 } }
                    loops[number & 1].submit { self.pass(number + 1) }
                }
            }
            try withLoop { first in
                try withLoop { second in
                    let ball = Ball([first.loop, second.loop])
                    for start in [0, 1, 2] { ball.pass(start) }
                    #expect(ball.count.wait { $0 == 3 })
                }
            }
        }

        @Test func taskStaysOnTheThread() async throws {
            let loop = try Loop()
            let thread = try loop.start()
            let isAlwaysThere = await Task(executorPreference: loop) {
                var isThere = loop.isCurrent
                for round in 0..<200 {
                    await Task.yield()
                    isThere = isThere && loop.isCurrent
                    if round % 50 == 0 { try? await Task.sleep(for: .milliseconds(1)) }
                    isThere = isThere && loop.isCurrent
                    await Self.nested()
                    isThere = isThere && loop.isCurrent
                    await withUnsafeContinuation { continuation in
                        Thread.detachNewThread { continuation.resume() }
                    }
                    isThere = isThere && loop.isCurrent
                }
                async let child = loop.isCurrent
                return await child && isThere
            }.value
            #expect(isAlwaysThere)
            loop.stop()
            thread.join()
        }

        private static func nested() async { await Task.yield() }

        /// A task given to the loop by the thread that just started it must be handed over, though
        /// no one has run the loop yet.
        @Test func taskRightAfterStart() async throws {
            for _ in 0..<100 {
                let loop = try Loop()
                let before = Task(executorPreference: loop) { loop.isCurrent }
                let thread = try loop.start()
                let after = Task(executorPreference: loop) { loop.isCurrent }
                #expect(await before.value)
                #expect(await after.value)
                loop.stop()
                thread.join()
            }
        }

        /// What waits for the end of a turn when the loop ends does not keep the loop.
        @Test func workLeftAtTheEnd() throws {
            weak var ended: Loop?
            do {
                let loop = try Loop()
                ended = loop
                let thread = try loop.start()
                loop.submit { [unowned loop] in
                    loop.stop()
                    loop.submit { [unowned loop] in  // in the last turn
                        let timer = loop.makeTimer { [unowned loop] in
                            loop.afterEvents { [loop] in _ = loop.isCurrent }
                        }
                        loop.schedule(timer, after: .zero)
                    }
                }
                thread.join()
            }
            #expect(ended == nil)
        }

        /// Many tasks on two loops that wait for one another.
        @Test func manyTasks() async throws {
            let loops = [try Loop(), try Loop()]
            let threads = try loops.map { try $0.start() }
            let sum = await withTaskGroup(of: Int.self) { group in
                for number in 0..<100 {
                    group.addTask(executorPreference: loops[number & 1]) {
                        var count = 0
                        for _ in 0..<50 {
                            let other = loops[~number & 1]
                            count += await Task(executorPreference: other) {
                                other.isCurrent ? 1 : 0
                            }.value
                            count += loops[number & 1].isCurrent ? 1 : 0
                        }
                        return count
                    }
                }
                return await group.reduce(0, +)
            }
            #expect(sum == 10_000)
            for loop in loops { loop.stop() }
            for thread in threads { thread.join() }
        }

        /// Work that keeps coming does not keep descriptors and timers waiting.
        @Test func busyTasksLeaveRoom() async throws {
            let loop = try Loop()
            let thread = try loop.start()
            let isDone = Watched(false)
            await withTaskGroup(of: Void.self) { group in
                group.addTask(executorPreference: loop) {
                    while !isDone.value { await Task.yield() }
                }
                await withUnsafeContinuation { continuation in
                    loop.submit {
                        let timer = loop.makeTimer { continuation.resume() }
                        loop.schedule(timer, after: .milliseconds(2))
                    }
                }
                isDone.set()
            }
            loop.stop()
            thread.join()
        }

        @Test func stopBeforeRun() throws {
            let loop = try Loop()
            let hasRun = Watched(false)
            loop.submit { hasRun.set() }
            loop.stop()
            loop.run()
            #expect(hasRun.value)
        }

        @Test func freedAfterStop() throws {
            weak var freed: Loop?
            do {
                let loop = try Loop()
                freed = loop
                let thread = try loop.start()
                loop.stop()
                thread.join()
            }
            #expect(freed == nil)
        }

        /// Streams that are open when the loop stops are closed, and nothing keeps them or the
        /// loop.
        @Test func stopWithOpenStreams() throws {
            weak var freed: Loop?
            nonisolated(unsafe) weak var stream: EventLoop.Stream?
            do {
                let loop = try Loop()
                freed = loop
                let thread = try loop.start()
                let (recorder, peer) = try RunningLoop(loop: loop).connect()
                stream = recorder.stream
                let socket = try ListeningSocket(at: loopback(), backlog: 1)
                try RunningLoop(loop: loop) { _ = try Listener(socket, on: loop) { _ in } }
                loop.stop()
                thread.join()
                #expect(recorder.record.value.calls == ["closed"])
                #expect(peer.receive().code == 0)
                #expect(throws: SystemError.self) { try Peer(to: socket.address) }
            }
            #expect(stream == nil)
            #expect(freed == nil)
        }

        /// epoll(7) takes no plain files: the error is thrown.
        @Test func takesNoFiles() throws {
            try withLoop { loop in
                let address = try loopback()
                let code = try loop {
                    let fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC)
                    do throws(SystemError) {
                        _ = try Stream(FileDescriptor(fd), peer: address, on: loop.loop)
                        return Int32(0)
                    } catch {
                        return error.code
                    }
                }
                #expect(code == EPERM)
            }
        }
    }

    @Suite("Descriptors of a loop")
    struct DescriptorTests {
        /// An eventfd that counts how often it is called.
        private final class Counter: EventSource {
            let fd: Int32
            var readyCount = 0
            var onReady: () -> Void = {}
            init(_ fd: Int32) { self.fd = fd }
            convenience init() { self.init(eventfd(0, Int32(EFD_NONBLOCK | EFD_CLOEXEC))) }
            func ready(_ readiness: Readiness) {
                readyCount += 1
                var count: UInt64 = 0
                _ = read(fd, &count, 8)
                onReady()
            }
            func signal() {
                var one: UInt64 = 1
                _ = write(fd, &one, 8)
            }
            func close() {}
        }

        /// Two are ready in one turn; the first to be called replaces the other's descriptor by a
        /// new one of the same number, which must not get the old one's event.
        @Test func noStaleEvents() throws {
            try withLoop { loop in
                let counts = Watched<(first: Int, replaced: Int, fresh: Int)>((0, 0, 0))
                let isFreshTold = Watched(false)
                try loop {
                    let pair = [Counter(), Counter()]
                    for (index, counter) in pair.enumerated() {
                        try loop.loop.add(counter.fd, .readable, counter)
                        counter.onReady = { [unowned loop = loop.loop] in
                            let other = pair[1 - index]
                            loop.remove(other.fd)
                            // Puts a new eventfd in its place, whatever other threads open
                            // meanwhile.
                            let made = eventfd(0, Int32(EFD_NONBLOCK | EFD_CLOEXEC))
                            dup2(made, other.fd)
                            close(made)
                            let fresh = Counter(other.fd)
                            fresh.onReady = { isFreshTold.set() }
                            try? loop.add(fresh.fd, .readable, fresh)
                            pair[0].onReady = {}
                            pair[1].onReady = {}
                            let all = Unchecked((counter, other, fresh))
                            loop.submit {
                                let (counter, other, fresh) = all.value
                                counts.update {
                                    $0 = (counter.readyCount, other.readyCount, fresh.readyCount)
                                }
                                fresh.signal()
                            }
                        }
                    }
                    for counter in pair { counter.signal() }
                }
                #expect(counts.wait { $0.first > 0 })
                #expect(counts.value == (1, 0, 0))
                #expect(isFreshTold.wait(), "but it gets its own")
            }
        }

        @Test func removedIsFreed() throws {
            try withLoop { loop in
                nonisolated(unsafe) weak var freed: Counter?
                try loop {
                    let counter = Counter()
                    freed = counter
                    try loop.loop.add(counter.fd, .readable, counter)
                    loop.loop.remove(counter.fd)
                    close(counter.fd)
                }
                #expect(freed == nil)
            }
        }

        /// Two that are ready at once: the second one closes what the first one wrote to, as a
        /// script's end does when its answer is not complete.
        @Test func whatIsWrittenIsSentBeforeTheNextSourceCloses() throws {
            try withLoop { loop in
                let (recorder, peer) = try loop.connect()
                let counters = try loop {
                    let counters = [Counter(), Counter()]
                    counters[0].onReady = { recorder.stream?.write(Array("answer".utf8)) }
                    counters[1].onReady = { recorder.stream?.close() }
                    for counter in counters { try loop.loop.add(counter.fd, .readable, counter) }
                    // Both in the same turn, and in this order.
                    for counter in counters { counter.signal() }
                    return Unchecked(counters)
                }
                #expect(peer.receive().bytes == Array("answer".utf8))
                try loop {
                    for counter in counters.value {
                        loop.loop.remove(counter.fd)
                        close(counter.fd)
                    }
                }
            }
        }
    }

    @Suite("Loop thread")
    struct LoopThreadTests {
        @Test func runsAndFreesItsBody() throws {
            final class Mark: Sendable {}
            weak var freed: Mark?
            let hasRun = Watched(false)
            do {
                let mark = Mark()
                freed = mark
                let thread = try LoopThread { withExtendedLifetime(mark) { hasRun.set() } }
                thread.join()
            }
            #expect(hasRun.value)
            #expect(freed == nil)
        }
    }
}
