import LoopTesting
import TestSupport
import Testing

@testable import EventLoop

extension EventLoopTests {
    @Suite("Timers")
    struct TimersTests {
        private func moment(_ nanoseconds: Int64) -> MonotonicTime {
            .init(nanoseconds: nanoseconds)
        }

        @Test func earliestFirst() {
            var timers = Timers()
            let all = [5, 1, 4, 2, 3].map { (Timer({}), moment($0)) }
            for (timer, deadline) in all { timers.schedule(timer, at: deadline) }
            #expect(timers.earliest == moment(1))
            #expect(timers.popDue(at: moment(0)) == nil)
            var order: [Int64] = []
            while let timer = timers.popDue(at: moment(4)) {
                #expect(!timer.isScheduled)
                order.append(timer.deadline.nanoseconds)
            }
            #expect(order == [1, 2, 3, 4])
            #expect(timers.count == 1)
            timers.cancel(all[0].0)
            timers.cancel(all[0].0)
            #expect(timers.earliest == nil)
        }

        @Test("a timer notifies its last target")
        func handedOn() {
            final class Target: TimerTarget {
                var firedCount = 0
                func timerFired() { firedCount += 1 }
            }
            let (first, second) = (Target(), Target())
            let timer = Timer()
            timer.action()
            timer.notify(first)
            timer.action()
            timer.notify(second)
            timer.action()
            timer.action()
            #expect(first.firedCount == 1 && second.firedCount == 2)
        }

        /// Random operations against a list that is searched.
        @Test(arguments: 1...8 as ClosedRange<UInt64>)
        func likeASortedList(seed: UInt64) throws {
            var generator = SeededGenerator(seed: seed)
            var timers = Timers()
            let all = (0..<40).map { _ in Timer({}) }
            var model: [ObjectIdentifier: Int64] = [:]
            for _ in 0..<2_000 {
                let timer = all[Int.random(in: 0..<all.count, using: &generator)]
                switch Int.random(in: 0..<4, using: &generator) {
                case 0:
                    timers.cancel(timer)
                    model[ObjectIdentifier(timer)] = nil
                case 1:
                    let now = Int64.random(in: 0...1_000, using: &generator)
                    let due = timers.popDue(at: moment(now))
                    let least = model.values.min()
                    #expect(
                        due.map(\.deadline.nanoseconds) == least.flatMap { $0 <= now ? $0 : nil })
                    if let due {
                        #expect(model[ObjectIdentifier(due)] == due.deadline.nanoseconds)
                        model[ObjectIdentifier(due)] = nil
                    }
                default:
                    let deadline = Int64.random(in: 0...1_000, using: &generator)
                    timers.schedule(timer, at: moment(deadline))
                    model[ObjectIdentifier(timer)] = deadline
                }
                #expect(timers.count == model.count)
                #expect(timers.earliest?.nanoseconds == model.values.min())
                #expect(timer.isScheduled == (model[ObjectIdentifier(timer)] != nil))
            }
        }

        @Test func fireInOrderOnTheLoop() throws {
            try withLoop { loop in
                let fired = Watched<[Int]>([])
                try loop {
                    for number in [3, 1, 2] {
                        let timer = loop.loop.makeTimer { fired.update { $0.append(number) } }
                        loop.loop.schedule(timer, after: .milliseconds(5 * number))
                    }
                    let cancelled = loop.loop.makeTimer { fired.update { $0.append(-1) } }
                    loop.loop.schedule(cancelled, after: .milliseconds(1))
                    loop.loop.cancel(cancelled)
                    let sooner = loop.loop.makeTimer { fired.update { $0.append(0) } }
                    loop.loop.schedule(sooner, after: .seconds(1_000))
                    loop.loop.schedule(sooner, at: loop.loop.now)
                }
                #expect(fired.wait { $0.count == 4 })
                #expect(fired.value == [0, 1, 2, 3])
            }
        }

        @Test func notBeforeItsTime() throws {
            try withLoop { loop in
                let waited = Watched<Duration?>(nil)
                try loop {
                    let start = MonotonicTime.current()
                    let timer = loop.loop.makeTimer {
                        waited.update { $0 = MonotonicTime.current() - start }
                    }
                    loop.loop.schedule(timer, at: start + .milliseconds(20))
                }
                #expect(waited.wait { $0 != nil })
                #expect(try #require(waited.value) >= .milliseconds(20))
            }
        }

        /// One that sets itself anew without delay lets the others have their turn; times long past
        /// and far ahead do not confuse the loop.
        @Test func noDelay() throws {
            try withLoop { loop in
                let isDone = Watched(false)
                let count = Watched(0)
                try loop {
                    var again: Timer?
                    let timer = loop.loop.makeTimer {
                        count.update { $0 += 1 }
                        if !isDone.value, let again { loop.loop.schedule(again, after: .zero) }
                        if isDone.value { again = nil }
                    }
                    again = timer
                    loop.loop.schedule(timer, after: .seconds(-(1 << 40)))
                    let never = loop.loop.makeTimer {}
                    loop.loop.schedule(never, after: .seconds(Int64.max))
                }
                #expect(count.wait { $0 > 10 })
                try loop { isDone.set() }
            }
        }

        @Test func ownerIsFreed() throws {
            final class Owner { var timer: Timer? }
            try withLoop { loop in
                nonisolated(unsafe) weak var owner: Owner?
                nonisolated(unsafe) weak var timer: Timer?
                try loop {
                    let made = Owner()
                    made.timer = loop.loop.makeTimer { [unowned made] in made.timer = nil }
                    owner = made
                    timer = made.timer
                    if let timer = made.timer {
                        loop.loop.schedule(timer, after: .seconds(100))
                        loop.loop.cancel(timer)
                    }
                }
                try loop {
                    #expect(owner == nil)
                    #expect(timer == nil)
                }
            }
        }
    }

    @Suite("Monotonic time")
    struct MonotonicTimeTests {
        /// A duration, and in whole nanoseconds.
        static let rows: [(String, Duration, Int64)] = [
            ("nothing", .zero, 0),
            ("one and a half seconds", .milliseconds(1_500), 1_500_000_000),
            ("less than a nanosecond", Duration(secondsComponent: 0, attosecondsComponent: 1), 0),
            ("negative", .milliseconds(-1_500), -1_500_000_000),
            ("longest", .seconds(Int64.max), .max),
            ("shortest", .seconds(Int64.min), .min),
            ("just too long", .seconds(9_223_372_037), .max),
        ]

        @Test(arguments: rows)
        func wholeNanoseconds(_ name: String, _ duration: Duration, _ expected: Int64) {
            #expect(duration.wholeNanoseconds == expected, "\(name)")
        }

        @Test func sums() {
            let time = MonotonicTime(nanoseconds: 10)
            #expect((time + .nanoseconds(5)).nanoseconds == 15)
            #expect((time + .seconds(Int64.max)).nanoseconds == .max)
            #expect(time - MonotonicTime(nanoseconds: 4) == .nanoseconds(6))
            #expect(MonotonicTime.current() <= .current())
        }
    }
}
