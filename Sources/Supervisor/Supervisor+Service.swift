import EventLoop
import Processes

// What the service manager that started this is told, if there is one; `ServiceState` has the
// rules.

extension Supervisor {
    func startServiceTimer() {
        guard plan.serviceManager != nil else { return }
        let timer = loop.makeTimer { [unowned self] in lookAfterService() }
        serviceTimer = timer
        loop.schedule(timer, after: service.lookInterval)
    }

    /// While a process starts, nothing serves that could say that it is not hung. To start has its
    /// own limit, `--start-timeout`.
    private func lookAfterService() {
        if current?.phase != .serving { tell(service.turned(serviceStatus, at: .current())) }
        if let serviceTimer { loop.schedule(serviceTimer, after: service.lookInterval) }
    }

    func tell(_ notices: [ServiceNotice]) { plan.serviceManager?.tell(notices) }

    /// All loops of a server process have come round.
    func generationTurned(_ generation: Generation, connectionCount: Int) {
        generation.connectionCount = connectionCount
        guard generation === current else { return }
        tell(service.turned(serviceStatus, at: .current()))
    }

    /// A process serves, or something has come to its end that could have led to another one.
    func settleService() {
        guard current?.phase == .serving else { return }
        let isChanging = rebuild != nil || next != nil || pending != nil
        guard service.phase == .starting || !isChanging else { return }
        tell(service.serves(serviceStatus, at: .current()))
    }

    private var serviceStatus: String {
        ServiceState.status(
            routeCount: current?.routeCounts.served ?? 0,
            connectionCount: generations.reduce(0) { $0 + $1.connectionCount })
    }
}
