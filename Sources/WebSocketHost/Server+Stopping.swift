import EventLoop
import Synchronization
import WebSocketProtocol

extension Server {
    /// Refuses new connections, closes those open, and drops what is left after
    /// ``Configuration/drainTimeout``. Returns at once; a second call does nothing.
    ///
    /// - Parameter close: the Close that clients get; by default 1001.
    public func stop(_ close: Close = Close(.goingAway)) {
        let phase = state.withLock { state in
            defer { state.phase = .stopping }
            if state.phase == .started { state.drainingWorkerCount = workers.count }
            return state.phase
        }
        guard phase == .started || phase == .retiring else { return }
        leave { [self] worker in
            worker.scheduleDrop(after: configuration.drainTimeout)
            worker.drain(close) { [self] in drained() }
        }
    }

    /// Takes no new connections, and stops when those open have ended: another process took over
    /// the listening sockets. Returns at once. ``stop(_:)`` may follow.
    public func retire() {
        let isRunning = state.withLock { state in
            guard state.phase == .started else { return false }
            state.phase = .retiring
            state.drainingWorkerCount = workers.count
            return true
        }
        guard isRunning else { return }
        changeFeed.finish()
        leave { worker in worker.retire { [self] in drained() } }
    }

    /// Shows the compiler's message about the author's last change on open index pages; empty: all
    /// files compile. Only with ``Configuration/showsChanges``.
    public func show(failure: String) { changeFeed.show(failure: failure) }

    /// The first worker before the others, so that what it accepted and handed over comes first
    /// there.
    private func leave(_ body: @escaping @Sendable (Worker) -> Void) {
        workers[0].loop.submit { [workers] in
            workers[0].closeListeners()
            body(workers[0])
            for worker in workers.dropFirst() { worker.loop.submit { body(worker) } }
        }
    }

    /// Drops all connections at once and stops.
    public func forceStop() {
        stop()
        // Weak: a loop that has ended keeps what it is given.
        for worker in workers { worker.loop.submit { [weak worker] in worker?.dropAll() } }
    }

    private func drained() {
        let isLast = state.withLock { state in
            state.drainingWorkerCount -= 1
            return state.drainingWorkerCount == 0
        }
        guard isLast else { return }
        monitor.stop()
        // What is called at a signal may hold the server.
        workers[0].loop.submit { [worker = workers[0]] in worker.ignoreSignals() }
        for worker in workers { worker.loop.stop() }
        joinForWaiters()
    }

    /// Blocks the calling thread, which is no loop's, until the server has stopped.
    public func waitUntilStopped() {
        joining.withLock { _ in
            let threads = state.withLock { state in
                defer { state.threads = [] }
                return state.threads
            }
            for thread in threads { thread.join() }
        }
    }
}
