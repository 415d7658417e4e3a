import Glibc
import LoopTesting
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

        private func set(_ clock: inout AlarmClock, _ time: MonotonicTime) throws {
            let isSet = clock.set(for: time)
            try #require(isSet)
        }

        @Test func ringsNotBeforeItsTime() throws {
            var clock = try AlarmClock()
            let deadline = MonotonicTime.current() + .milliseconds(3)
            try set(&clock, deadline)
            let hasRung = rings(clock)
            #expect(hasRung)
            #expect(MonotonicTime.current() >= deadline)
        }

        @Test func aTimeThatHasPassedRingsAtOnce() throws {
            var clock = try AlarmClock()
            try set(&clock, MonotonicTime(nanoseconds: 1))
            let hasRung = rings(clock)
            #expect(hasRung)
        }

        @Test func theEarliestCounts() throws {
            var clock = try AlarmClock()
            let start = MonotonicTime.current()
            try set(&clock, start + .seconds(3_600))
            try set(&clock, start + .milliseconds(2))
            try set(&clock, MonotonicTime(nanoseconds: .max))
            let hasRung = rings(clock)
            #expect(hasRung)
        }

        @Test func itIsSetAnewWhenItHasRung() throws {
            var clock = try AlarmClock()
            try set(&clock, .current())
            let first = rings(clock)
            clock.rang()
            let deadline = MonotonicTime.current() + .milliseconds(3)
            try set(&clock, deadline)
            let second = rings(clock)
            #expect(first && second)
            #expect(MonotonicTime.current() >= deadline)
        }
    }
}
