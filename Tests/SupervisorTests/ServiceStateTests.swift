import EventLoop
import Processes
import Testing

@testable import Supervisor

@Suite("What a service manager is told")
struct ServiceStateTests {
    private func at(_ seconds: Double) -> MonotonicTime {
        MonotonicTime(nanoseconds: Int64(seconds * 1e9))
    }

    @Test("the way of a server, from its start over a reload to its end")
    func phases() {
        var state = ServiceState(watchdogTimeout: nil)
        #expect(state.reloads(at: at(1)).isEmpty && state.phase == .starting)
        #expect(state.turned("early", at: at(1)).isEmpty)
        #expect(state.serves("a", at: at(2)) == [.ready, .status("a")])
        #expect(state.serves("b", at: at(2)).isEmpty)
        #expect(state.reloads(at: at(3)) == [.reloading(at: at(3))])
        #expect(state.reloads(at: at(4)).isEmpty)
        #expect(state.serves("c", at: at(5)) == [.ready, .status("c")])
        #expect(state.reloads(at: at(6)) == [.reloading(at: at(6))])
        #expect(state.stops() == [.stopping])
        #expect(state.stops().isEmpty && state.reloads(at: at(7)).isEmpty)
        #expect(state.serves("d", at: at(7)).isEmpty && state.turned("d", at: at(9)).isEmpty)
    }

    @Test("a status is told when it changes, and not more often than every two seconds")
    func statuses() {
        var state = ServiceState(watchdogTimeout: nil)
        _ = state.serves("a", at: at(0))
        #expect(state.turned("a", at: at(10)).isEmpty)
        #expect(state.turned("b", at: at(10)) == [.status("b")])
        #expect(state.turned("c", at: at(11.9)).isEmpty)
        #expect(state.turned("d", at: at(12)) == [.status("d")])
    }

    @Test("the watchdog is told at half of its time at the latest, whatever the look's moment")
    func watchdog() {
        for timeout in [0.4, 3, 8, 60] {
            var state = ServiceState(watchdogTimeout: .seconds(timeout))
            _ = state.serves("a", at: at(0))
            let interval = state.lookInterval
            #expect(interval <= .seconds(timeout) / 4 && interval <= .seconds(2))
            var told: [MonotonicTime] = []
            var now = at(0)
            while now < at(timeout * 4) {
                now = now + interval
                if state.turned("a", at: now) == [.watchdog] { told.append(now) }
            }
            #expect(told.count >= 8)
            for (one, next) in zip(told, told.dropFirst()) {
                #expect(next - one <= .seconds(timeout) / 2)
            }
        }
        // A loop that is blocked for a while: as soon as it comes round.
        var state = ServiceState(watchdogTimeout: .seconds(4))
        _ = state.serves("a", at: at(0))
        #expect(state.turned("a", at: at(1)) == [.watchdog])
        #expect(state.turned("a", at: at(4.5)) == [.watchdog])
    }

    @Test("words for people")
    func words() {
        #expect(ServiceState.status(routeCount: 1, connectionCount: 0) == "1 route, 0 connections")
        #expect(ServiceState.status(routeCount: 2, connectionCount: 1) == "2 routes, 1 connection")
    }
}
