import LoopTesting
import Testing

@testable import EventLoop

extension EventLoopTests {
    @Suite("Loop monitor")
    struct LoopMonitorTests {
        /// The second of two loops blocks until it was found; then its end is reported.
        @Test func tellsAStallAndItsEnd() throws {
            try withLoop { idle in
                try withLoop { loop in
                    let stalls = Watched<[LoopMonitor.Stall]>([])
                    let monitor = LoopMonitor()
                    let thread = try monitor.start(
                        watching: [idle.loop, loop.loop], threshold: .milliseconds(40)
                    ) { stall in
                        stalls.update { $0.append(stall) }
                    }
                    try loop {
                        loop.loop.note(activity: 7)
                        _ = stalls.wait { $0.contains { $0.activity == 7 } }
                    }
                    #expect(stalls.wait { $0.contains { $0.isOver } })
                    monitor.stop()
                    thread.join()
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
            let monitor = LoopMonitor()
            let monitorThread = try monitor.start(watching: [loop], threshold: .milliseconds(40)) {
                _ in
                isFound.set()
            }
            loop.submit { _ = isFound.wait() }
            let thread = try loop.start()
            #expect(isFound.wait())
            loop.stop()
            monitor.stop()
            thread.join()
            monitorThread.join()
        }
    }
}
