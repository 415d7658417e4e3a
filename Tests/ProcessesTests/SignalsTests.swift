import EventLoop
import Glibc
import LoopTesting
import Testing

@testable import Processes

extension ProcessesTests {
    /// The signals are blocked on and sent to the loop's thread only, so no other test meets them.
    @Suite("Signals")
    struct SignalsTests {
        @Test func comeAsEvents() throws {
            try withLoop { loop in
                let seen = Watched<[Int32]>([])
                try loop {
                    Signals.block([SIGUSR1, SIGUSR2])
                    _ = try Signals([SIGUSR1, SIGUSR2], on: loop.loop) { signal in
                        seen.update { $0.append(signal) }
                    }
                    pthread_kill(pthread_self(), SIGUSR2)
                }
                #expect(seen.wait { $0 == [SIGUSR2] })
                try loop { _ = pthread_kill(pthread_self(), SIGUSR1) }
                #expect(seen.wait { $0 == [SIGUSR2, SIGUSR1] })
            }
        }

        /// Closing in the call for a signal ends it there; a second close does nothing.
        @Test func closeInside() throws {
            try withLoop { loop in
                let count = Watched(0)
                nonisolated(unsafe) weak var freed: Signals?
                try loop {
                    Signals.block([SIGUSR1, SIGUSR2])
                    var kept: Signals?
                    let signals = try Signals([SIGUSR1, SIGUSR2], on: loop.loop) { _ in
                        count.update { $0 += 1 }
                        kept?.close()
                        kept?.close()
                        kept = nil
                    }
                    kept = signals
                    freed = signals
                    pthread_kill(pthread_self(), SIGUSR1)
                    pthread_kill(pthread_self(), SIGUSR2)
                }
                #expect(count.wait { $0 > 0 })
                try loop {}
                #expect(count.value == 1)
                try loop { #expect(freed == nil) }
            }
        }
    }
}
