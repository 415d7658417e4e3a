import EventLoop

/// The load of one loop, for the log with `--thread-monitor-interval-in-sec`.
struct LoopReport {
    let loopIndex: Int
    let connectionCount: Int
    /// Connections that are no WebSockets yet, or never will be.
    let exchangeCount: Int
    /// Waiting to be sent, over all connections.
    let queuedByteCount: Int
    let waitingJobCount: Int
    /// Since the last report.
    let longestTurn: Duration

    var text: String {
        let microseconds = longestTurn.wholeNanoseconds / 1_000
        return "loop \(loopIndex): \(connectionCount) connections, \(exchangeCount) exchanges, "
            + "\(queuedByteCount) bytes queued, \(waitingJobCount) jobs waiting, "
            + "longest turn \(microseconds / 1_000).\(microseconds % 1_000 / 100) ms"
    }
}

extension Worker {
    /// Logs a ``LoopReport`` at each `interval` until the worker is empty at its end. On the loop's
    /// thread, once.
    func startReporting(every interval: Duration, loopIndex: Int) {
        loop.measureTurns()
        let timer = loop.makeTimer { [unowned self] in
            log(.info, report(loopIndex).text)
            if let reportTimer { loop.schedule(reportTimer, after: interval) }
        }
        reportTimer = timer
        loop.schedule(timer, after: interval)
    }

    /// On the loop's thread.
    private func report(_ loopIndex: Int) -> LoopReport {
        LoopReport(
            loopIndex: loopIndex, connectionCount: connections.count,
            exchangeCount: exchanges.count,
            queuedByteCount: connections.queuedByteCount + exchanges.queuedByteCount,
            waitingJobCount: loop.waitingJobCount, longestTurn: loop.takeLongestTurn())
    }
}

extension Server {
    func startReporting(_ worker: Worker, loopIndex: Int) {
        guard let interval = configuration.loopReportInterval else { return }
        worker.loop.submit { worker.startReporting(every: interval, loopIndex: loopIndex) }
    }
}
