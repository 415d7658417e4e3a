import CLinux
import Glibc
import Testing

@testable import EventLoop

extension EventLoopTests {
    @Suite("Alarm clock")
    struct AlarmClockTests {
        /// Waits for the clock to ring, ten seconds at most.
        private func rings(_ clock: borrowing AlarmClock) -> Bool {
            var descriptor = pollfd(fd: clock.fd, events: Int16(POLLIN), revents: 0)
            return poll(&descriptor, 1, 10_000) == 1
        }

        @Test func ringsNotBeforeItsTime() throws {
            var clock = try AlarmClock()
            let deadline = MonotonicTime.current() + .milliseconds(3)
            clock.set(for: deadline)
            let hasRung = rings(clock)
            #expect(hasRung)
            #expect(MonotonicTime.current() >= deadline)
        }

        @Test func aTimeThatHasPassedRingsAtOnce() throws {
            var clock = try AlarmClock()
            clock.set(for: MonotonicTime(nanoseconds: 1))
            let hasRung = rings(clock)
            #expect(hasRung)
        }

        @Test func theEarliestCounts() throws {
            var clock = try AlarmClock()
            let start = MonotonicTime.current()
            clock.set(for: start + .seconds(3_600))
            clock.set(for: start + .milliseconds(2))
            clock.set(for: MonotonicTime(nanoseconds: .max))
            let hasRung = rings(clock)
            #expect(hasRung)
        }

        @Test func itIsSetAnewWhenItHasRung() throws {
            var clock = try AlarmClock()
            clock.set(for: .current())
            let first = rings(clock)
            clock.rang()
            let deadline = MonotonicTime.current() + .milliseconds(3)
            clock.set(for: deadline)
            let second = rings(clock)
            #expect(first && second)
            #expect(MonotonicTime.current() >= deadline)
        }
    }
}
