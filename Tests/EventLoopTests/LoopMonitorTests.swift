import LoopTesting
import Synchronization
import Testing

@testable import EventLoop

extension EventLoopTests {
    @Suite("Loop monitor")
    struct LoopMonitorTests {
        /// Watches loops from another one while `body` runs.
        private func withMonitor(
            of loops: [Loop], report: @escaping (LoopMonitor.Stall) -> Void,
            _ body: () throws -> Void
        ) throws {
            try withLoop { control in
                let kept = Watched<Unchecked<LoopMonitor>?>(nil)
                let report = Unchecked(report)
                try control {
                    let monitor = LoopMonitor(
                        on: control.loop, threshold: .milliseconds(40), report: report.value)
                    for loop in loops { monitor.watch(loop) }
                    monitor.start()
                    kept.update { $0 = Unchecked(monitor) }
                }
                defer { try? control { kept.value?.value.stop() } }
                try body()
            }
        }

        /// The second of two loops blocks until it was found; then its end is reported.
        @Test func tellsAStallAndItsEnd() throws {
            try withLoop { idle in
                try withLoop { loop in
                    let stalls = Watched<[LoopMonitor.Stall]>([])
                    let loops = [idle.loop, loop.loop]
                    let append = { stall in stalls.update { $0.append(stall) } }
                    try withMonitor(of: loops, report: append) {
                        try loop {
                            loop.loop.note(activity: 7)
                            _ = stalls.wait { $0.contains { $0.activity == 7 } }
                        }
                        #expect(stalls.wait { $0.contains { $0.isOver } })
                    }
                    // Those of a loaded machine beside, the stall made here is reported first and
                    // then over.
                    let ours = stalls.value.filter { $0.loopIndex == 1 }
                    #expect(ours.count >= 2)
                    for (index, stall) in ours.enumerated() {
                        #expect(stall.isOver == (index % 2 == 1))
                        #expect(stall.duration >= .milliseconds(40))
                    }
                    #expect(stalls.value.allSatisfy { $0.loopIndex == 1 })
                }
            }
        }

        /// What was handed over before the loop ran is watched too.
        @Test func firstTurn() throws {
            let loop = try Loop()
            let isFound = Watched(false)
            try withMonitor(of: [loop], report: { _ in isFound.set() }) {
                loop.submit { _ = isFound.wait() }
                let thread = try loop.start()
                #expect(isFound.wait())
                loop.stop()
                thread.join()
            }
        }

        /// A turn counts as stalled from its limit on, and a loop that waits never does.
        @Test func stalled() throws {
            try withLoop { loop in
                let (isEntered, mayEnd) = (Watched(false), Watched(false))
                loop.loop.submit {
                    isEntered.set()
                    _ = mayEnd.wait()
                }
                #expect(isEntered.wait())
                let start = MonotonicTime(nanoseconds: loop.loop.turnStart.load(ordering: .relaxed))
                let limit = Duration.milliseconds(100)
                #expect(!loop.loop.isStalled(for: limit, at: start + .milliseconds(99)))
                #expect(loop.loop.isStalled(for: limit, at: start + limit))
                mayEnd.set()
                while loop.loop.turnStart.load(ordering: .relaxed) != 0 {}
                #expect(!loop.loop.isStalled(for: limit, at: start + .seconds(3_600)))
            }
        }

        /// A stall is seen at its limit, which is before the next look at all loops.
        @Test func looksAtTheLimit() throws {
            let time = ManualTime()
            let control = RunningLoop(loop: try Loop(manualTime: time))
            let blocked = try Loop(manualTime: time)
            let (isEntered, mayEnd, looks) = (Watched(false), Watched(false), Watched(0))
            blocked.submit {
                isEntered.set()
                _ = mayEnd.wait()
            }
            let threads = [try blocked.start(), try control.loop.start()]
            #expect(isEntered.wait())
            func advance(by duration: Duration) throws {
                let isDone = Watched(false)
                try control { control.loop.advance(by: duration) { isDone.set() } }
                #expect(isDone.wait())
            }
            try advance(by: .milliseconds(60))
            let kept = Watched<Unchecked<LoopMonitor>?>(nil)
            try control {
                let monitor = LoopMonitor(
                    on: control.loop, threshold: .seconds(1), stallLimit: .milliseconds(100),
                    onLook: { looks.update { $0 += 1 } }, report: { _ in })
                monitor.watch(blocked)
                monitor.start()
                kept.update { $0 = Unchecked(monitor) }
            }
            try advance(by: .milliseconds(39))
            #expect(looks.value == 0)
            try advance(by: .milliseconds(1))
            #expect(looks.value == 1)
            // It is known from then on: the next look is the one at all loops.
            try advance(by: .milliseconds(99))
            #expect(looks.value == 1)
            try advance(by: .milliseconds(1))
            #expect(looks.value == 2)
            try control { kept.value?.value.stop() }
            mayEnd.set()
            for loop in [blocked, control.loop] { loop.stop() }
            for thread in threads { thread.join() }
        }
    }
}
