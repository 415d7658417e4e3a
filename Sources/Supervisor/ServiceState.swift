import EventLoop
import Processes

/// What a service manager is told of a server, and when.
///
/// | phase | event | next phase | what is told |
/// |---|---|---|---|
/// | `starting` | it serves | `running` | READY, STATUS |
/// | `running` | SIGHUP | `reloading` | RELOADING |
/// | `reloading` | it serves, and no change is under way | `running` | READY, STATUS |
/// | any but `stopping` | it stops | `stopping` | STOPPING |
/// | `running`, `reloading` | all loops have turned | the same | WATCHDOG, STATUS where due |
///
/// A value, without clock or socket.
package struct ServiceState: Equatable {
    package enum Phase { case starting, running, reloading, stopping }

    package private(set) var phase = Phase.starting
    /// `nil`: nobody waits for WATCHDOG.
    private let watchdogTimeout: Duration?
    private var lastWatchdog: MonotonicTime?
    private var toldStatus = ""
    private var lastStatus: MonotonicTime?

    /// STATUS at most that often.
    package static let statusPause: Duration = .seconds(2)

    package init(watchdogTimeout: Duration?) { self.watchdogTimeout = watchdogTimeout }

    /// How often it has to be looked whether the loops turn: so that, with the pause of the next
    /// line, WATCHDOG is told at half of the time at the latest.
    package var lookInterval: Duration {
        min(watchdogTimeout.map { $0 / 4 } ?? Self.statusPause, Self.statusPause)
    }

    private var watchdogPause: Duration? { watchdogTimeout.map { $0 / 4 } }

    package mutating func serves(_ status: String, at now: MonotonicTime) -> [ServiceNotice] {
        guard phase == .starting || phase == .reloading else { return [] }
        phase = .running
        (toldStatus, lastStatus) = (status, now)
        return [.ready, .status(status)]
    }

    package mutating func reloads(at now: MonotonicTime) -> [ServiceNotice] {
        guard phase == .running else { return [] }
        phase = .reloading
        return [.reloading(at: now)]
    }

    package mutating func stops() -> [ServiceNotice] {
        guard phase != .stopping else { return [] }
        phase = .stopping
        return [.stopping]
    }

    /// Every loop of the process that serves has come round since the last look.
    package mutating func turned(_ status: String, at now: MonotonicTime) -> [ServiceNotice] {
        guard phase == .running || phase == .reloading else { return [] }
        var notices: [ServiceNotice] = []
        if let pause = watchdogPause, lastWatchdog.map({ now >= $0 + pause }) ?? true {
            lastWatchdog = now
            notices.append(.watchdog)
        }
        if status != toldStatus, lastStatus.map({ now >= $0 + Self.statusPause }) ?? true {
            (toldStatus, lastStatus) = (status, now)
            notices.append(.status(status))
        }
        return notices
    }

    package static func status(routeCount: Int, connectionCount: Int) -> String {
        "\(routeCount) route\(routeCount == 1 ? "" : "s"), "
            + "\(connectionCount) connection\(connectionCount == 1 ? "" : "s")"
    }
}
