import EventLoop
import Processes
import Supervisor
import WebSocketHost

/// What the service manager is told of a server that has no supervisor.
///
/// `@unchecked Sendable`: everything mutable is used on the thread of the server's control loop.
final class LoneService: @unchecked Sendable {
    private let manager: ServiceManager
    private let server: Server
    private let routeCount: Int
    private var state: ServiceState
    private var timer: Timer?

    /// - Parameter routeCount: that are served.
    init?(_ manager: ServiceManager?, _ server: Server, routeCount: Int) {
        guard let manager else { return nil }
        self.manager = manager
        self.server = server
        self.routeCount = routeCount
        state = ServiceState(watchdogTimeout: manager.watchdogTimeout)
    }

    /// The server accepts connections.
    func start() {
        server.controlLoop.submit { [self] in
            manager.tell(state.serves(status, at: .current()))
            let timer = server.controlLoop.makeTimer { [weak self] in self?.look() }
            self.timer = timer
            server.controlLoop.schedule(timer, after: state.lookInterval)
        }
    }

    private func look() {
        if server.haveAllLoopsTurned(within: state.lookInterval) {
            manager.tell(state.turned(status, at: .current()))
        }
        if let timer { server.controlLoop.schedule(timer, after: state.lookInterval) }
    }

    /// A signal ends the server. On the control loop's thread.
    func stop() {
        manager.tell(state.stops())
        if let timer { server.controlLoop.cancel(timer) }
        timer = nil
    }

    private var status: String {
        ServiceState.status(
            routeCount: routeCount, connectionCount: server.openConnectionCount)
    }
}
