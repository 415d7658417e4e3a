import EventLoop
import Synchronization
import WebSocketProtocol

extension Server {
    /// Refuses new connections, closes those open, and drops what is left after
    /// ``Configuration/drainTimeout``. Cancels `whileServing` and `feed` of all handlers, and waits
    /// for them as long. Returns at once; a second call does nothing.
    ///
    /// - Parameter close: the Close that clients get; by default 1001.
    public func stop(_ close: Close = Close(.goingAway)) {
        let (phase, sockets) = state.withLock { state in
            defer {
                state.phase = .stopping
                state.sockets = []
            }
            return (state.phase, state.sockets)
        }
        guard phase == .started || phase == .retiring else { return }
        for socket in sockets { socket.removeFile() }
        let drainTimeout = configuration.drainTimeout
        hooks.end(ServingHooks.parts, onEnd: {})
        control.loop.submit { [self] in control.giveUpTime = control.loop.now + drainTimeout }
        leave(atEnd: phase == .started) { worker, onEmpty in
            worker.scheduleDrop(after: drainTimeout)
            worker.drain(close, onEmpty: onEmpty)
        }
    }

    /// Takes no new connections, and stops when those open have ended: another process took over
    /// the listening sockets. Returns at once. ``stop(_:)`` may follow.
    public func retire() {
        let isRunning = state.withLock { state in
            guard state.phase == .started else { return false }
            state.phase = .retiring
            // Their files are that process's now.
            state.sockets = []
            return true
        }
        guard isRunning else { return }
        changeFeed.finish()
        hooks.end([.feed], onEnd: {})
        leave(atEnd: false) { worker, onEmpty in worker.retire(onEmpty: onEmpty) }
    }

    /// Shows the compiler's message about the author's last change on open index pages; empty: all
    /// files compile. Only with ``Configuration/showsChanges``.
    public func show(failure: String) { changeFeed.show(failure: failure) }

    /// Accepts nothing any more, and has all workers leave: the first one before the others, so
    /// that no client has its Close while another one still connects. One that is blocked leaves
    /// when it comes round; the others do not wait for it. From any thread.
    ///
    /// - Parameter isEnd: whether no other process has taken this one's place.
    private func leave(
        atEnd isEnd: Bool,
        _ body: @escaping @Sendable (Worker, _ onEmpty: @escaping @Sendable () -> Void) -> Void
    ) {
        gate.close()
        control.closeSockets()
        // First, so that it knows of them all before one of them is empty. Spare ones begin on its
        // thread only, and no more after this.
        control.loop.submit { [self] in
            control.closeListeners()
            control.leaveAdmin(atEnd: isEnd)
            if control.undrained == nil { control.undrained = allWorkers }
            control.waitingLeaves.append { [self] in
                for worker in allWorkers.dropFirst() { leave(worker, body) }
            }
        }
        leave(workers[0], body)
        workers[0].loop.submit { [self] in
            control.loop.submit { [self] in leaveOthers() }
        }
    }

    private func leave(
        _ worker: Worker,
        _ body: @escaping @Sendable (Worker, _ onEmpty: @escaping @Sendable () -> Void) -> Void
    ) {
        worker.loop.submit { [self] in
            worker.closeListeners()
            worker.endDealing()
            body(worker) { [self] in
                control.loop.submit { [self] in drained(worker) }
            }
        }
    }

    /// Drops all connections at once and stops. Not even a handler that blocks its thread is waited
    /// for.
    public func forceStop() {
        stop()
        // Weak: a loop that has ended keeps what it is given.
        control.loop.submit { [weak self] in
            guard let self else { return }
            control.giveUpTime = control.loop.now
            for worker in allWorkers { worker.loop.submit { [weak worker] in worker?.dropAll() } }
        }
    }

    /// Blocks the calling thread, which is no loop's, until the server has stopped.
    public func waitUntilStopped() {
        joining.withLock { _ in
            // It ends last: by then it is known which of the others do not come back.
            let controlThread = state.withLock { $0.controlThread }
            controlThread?.join()
            let threads = state.withLock { state in
                defer { state.threads = [] }
                return state.threads
            }
            for thread in threads { thread.thread.join() }
        }
    }
}

// MARK: - On the control loop's thread

extension Server {
    /// The first worker accepts nothing any more.
    func leaveOthers() {
        let leaves = control.waitingLeaves
        control.waitingLeaves = []
        for leave in leaves { leave() }
    }

    /// Nothing is open any more on a worker.
    private func drained(_ worker: Worker) {
        guard let index = control.undrained?.firstIndex(where: { $0 === worker }) else { return }
        control.undrained?.remove(at: index)
        if control.undrained?.isEmpty == true { endHooks() }
    }

    /// Waits no longer for workers whose thread a handler blocks. Such a thread ends when it comes
    /// round, or with the process.
    func giveUpBlockedWorkers(at now: MonotonicTime) {
        for worker in control.undrained ?? []
        where worker.loop.isStalled(for: configuration.blockedLoopThreshold, at: now) {
            let text = stallText(
                of: worker, activity: worker.loop.currentActivity, duration: .zero)
            let count = worker.openCount.load(ordering: .relaxed)
            log(.warning, "\(text.subject) blocks its thread still: \(count) connections dropped")
            state.withLock { $0.threads.removeAll { $0.worker === worker } }
            // The worker has to live until then.
            worker.loop.submit { worker.dropAll() }
            drained(worker)
        }
    }

    func end() {
        for worker in allWorkers { worker.loop.stop() }
        // What is called at a signal, or accepts, holds the server.
        control.close()
        control.loop.stop()
        joinForWaiters()
    }
}
