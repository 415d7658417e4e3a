import EventLoop
import Synchronization
import WebSocketProtocol

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
        measure(at: now)
        if control.undrained == nil {
            return relieveStalledWorkers(at: now)
        }
        if isStalled(workers[0], at: now) { leaveOthers() }
        if isServingOverdue(at: now) { return giveUpHooks(at: now) }
        if let giveUpTime = control.giveUpTime {
            if now >= giveUpTime { giveUpBlockedWorkers(at: now) }
        } else {
            stopIfStuck(at: now)
        }
    }

    /// A server that retires keeps its connections for as long as they want. A handler that does
    /// not give its thread back would keep it for ever, and a processor with it.
    private func stopIfStuck(at now: MonotonicTime) {
        let limit = max(configuration.drainTimeout, configuration.blockedLoopThreshold)
        let stuck = control.undrained?.first { $0.loop.isStalled(for: limit, at: now) }
        guard let stuck else { return }
        let text = stallText(of: stuck, activity: stuck.loop.currentActivity, duration: limit)
        log(
            .warning,
            "\(text.subject) has been blocking its thread for longer than --drain-timeout, in a "
                + "version that was replaced: all connections to that are closed with 1012")
        stop(Close(.serviceRestart))
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
        if let (index, part) = RoutePart.of(activity: activity), routes.indices.contains(index) {
            text.route = escaped(routes[index].path)
            text.part = part
            // The one that blocks is not one that waits; before the 101 it is a request.
            switch part {
            case .connection where counts[index] > 0: counts[index] -= 1
            case .connection, .http: requestCount -= 1
            case .whileServing, .feed: break
            }
        }
        text.requestCount = requestCount
        text.waiting = zip(routes, counts).map { (escaped($0.path), $1) }
        return text
    }
}

extension Server {
    /// Whether each loop of connections has come round within this time, or has nothing to do:
    /// none is blocked for as long. From any thread.
    package func haveAllLoopsTurned(within limit: Duration) -> Bool {
        let now = MonotonicTime.current()
        return !allWorkers.contains { $0.loop.isStalled(for: limit, at: now) }
    }
}
