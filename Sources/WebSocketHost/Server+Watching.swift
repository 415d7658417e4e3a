import EventLoop
import Synchronization

// The watch over the workers' loops, on the control loop's thread.

extension Server {
    func startMonitor() {
        guard control.undrained?.isEmpty != true else { return }  // it has ended already
        let monitor = LoopMonitor(
            on: control.loop, threshold: configuration.blockedLoopThreshold,
            stallLimit: configuration.stalledLoopLimit, onLook: { [self] in looked() },
            report: { [self] in report($0) })
        for worker in workers { monitor.watch(worker.loop) }
        monitor.start()
        control.monitor = monitor
    }

    private func looked() {
        log.reportOmittedPeerEvents()
        let now = control.loop.currentTime
        if control.undrained == nil {
            relieveStalledWorkers(at: now)
        } else if let giveUpTime = control.giveUpTime, now >= giveUpTime {
            giveUpBlockedWorkers(at: now)
        }
    }

    private func report(_ stall: LoopMonitor.Stall) {
        let workers = allWorkers
        guard workers.indices.contains(stall.loopIndex) else { return }
        let text = stallText(
            of: workers[stall.loopIndex], activity: stall.activity, duration: stall.duration)
        log(.warning, stall.isOver ? text.afterwards : text.whileBlocked)
    }

    func stallText(of worker: Worker, activity: Int, duration: Duration) -> StallText {
        let routes = worker.connections.routes.all
        var counts = worker.connections.openCounts.values
        var requestCount = worker.openCount.load(ordering: .relaxed) - counts.reduce(0, +)
        var text = StallText(duration: duration)
        if routes.indices.contains(activity) {
            text.route = escaped(routes[activity].path)
            // The one that blocks is not one that waits; before the 101 it is a request.
            if counts[activity] > 0 { counts[activity] -= 1 } else { requestCount -= 1 }
        }
        text.requestCount = requestCount
        text.waiting = zip(routes, counts).map { (escaped($0.path), $1) }
        return text
    }
}
