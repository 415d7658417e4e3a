import EventLoop
import WebSocketProtocol

// All on the loop's thread.

extension Worker {
    /// Waits for what is open to end by itself. Before ``drain(_:onEmpty:)``.
    ///
    /// - Parameter onEmpty: called once nothing is open.
    func retire(onEmpty: @escaping @Sendable () -> Void) {
        leave(onEmpty)
        exchanges.closeKept()
        let timer = loop.makeTimer { [unowned self] in forgetLingering() }
        lingerTimer = timer
        loop.schedule(timer, after: lingerTimeout)
        reportIfEmpty()
    }

    private var lingerTimeout: Duration {
        max(configuration.drainTimeout, configuration.connection.closeTimeout)
    }

    /// Handlers that go on although their connections have ended, and although they were cancelled
    /// for that, do not keep a server that retires for longer than twice the drain time-out.
    private func forgetLingering() {
        let isLingering = exchanges.isEmpty && connections.areAllEnded
        if isLingering && wasLingering {
            log(
                .warning,
                "\(connections.count) handlers go on although their connections have ended: they "
                    + "are not waited for")
            return dropAll()
        }
        wasLingering = isLingering
        if let lingerTimer { loop.schedule(lingerTimer, after: lingerTimeout) }
    }

    /// Closes what is idle at once and the connections with a code, over half of the drain time.
    ///
    /// - Parameter onEmpty: called once nothing is open; not if ``retire(onEmpty:)`` was called.
    func drain(_ close: Close, onEmpty: @escaping @Sendable () -> Void) {
        guard !connections.isDraining else { return }
        leave(onEmpty)
        exchanges.closeIdle()
        connections.drain(close)
        reportIfEmpty()
    }

    private func leave(_ onEmpty: @escaping @Sendable () -> Void) {
        awaitedHeaders.closeAll()
        exchanges.leave()
        connections.tasks.end()
        if case .serving = phase { phase = .leaving(onEmpty: onEmpty) }
    }

    func closeListeners() {
        for listener in listeners { listener.close() }
        listeners = []
    }

    func scheduleDrop(after delay: Duration) {
        let timer = loop.makeTimer { [unowned self] in
            let count = exchanges.count + connections.count
            guard count > 0 else { return }
            log(.warning, "\(count) connections dropped after --drain-timeout")
            dropAll()
        }
        dropTimer = timer
        loop.schedule(timer, after: delay)
    }

    /// Drops everything; handlers that go on all the same are not waited for.
    func dropAll() {
        exchanges.dropAll()
        connections.dropAll()
        connections.limiter?.endAll()
        reportIfEmpty()
    }

    func reportIfEmpty() {
        guard case .leaving(let onEmpty) = phase, exchanges.isEmpty, connections.isEmpty else {
            return
        }
        phase = .empty
        // Or they would fire while other loops still drain, or while this worker goes away.
        connections.end()
        for timer in [dropTimer, lingerTimer, reportTimer] { timer.map(loop.cancel) }
        onEmpty()
    }
}
