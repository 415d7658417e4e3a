import EventLoop
import Synchronization

// From listening sockets to workers.
//
// The first worker accepts for all, and gives each connection to the worker with the fewest. A
// worker whose present turn has lasted for `stalledLoopLimit` is passed over: some handler blocks
// it. While that is the first worker, the control loop accepts as well; what was given to a worker
// just before, and not taken yet, goes to another one. When all workers are blocked, a spare worker
// begins, up to `spareLoopLimit` of them.

extension Server {
    /// How long the control loop goes on accepting after the first worker came round: one that was
    /// blocked may soon be so again.
    private static let acceptingPause: Duration = .seconds(1)

    /// On the first loop's thread.
    func listen(on sockets: [ListeningSocket]) {
        for socket in sockets {
            guard gate.isOpen else {
                socket.close()
                continue
            }
            do throws(SystemError) {
                let listener = try Listener(
                    socket, on: workers[0].loop, gate: gate, onShortage: logShortage
                ) { [self] in accepted($0) }
                workers[0].listeners.append(listener)
            } catch {
                log(.critical, "cannot accept on \(socket.address): \(error)")
            }
        }
    }

    /// On the first loop's thread.
    private func accepted(_ connection: AcceptedConnection) {
        let worker = workers[0]
        guard mayServe(connection) else { return worker.refuse(connection) }
        let target = workerWithFewest(than: worker, at: worker.loop.now)
        if target !== worker && target.deal(connection) { return }
        worker.openCount.add(1, ordering: .relaxed)
        worker.adopt(connection)
    }

    private func workerWithFewest(than accepting: Worker, at now: MonotonicTime) -> Worker {
        var chosen = accepting
        var fewest = accepting.openCount.load(ordering: .relaxed)
        for worker in workers.dropFirst() {
            let count = worker.openCount.load(ordering: .relaxed)
            if count < fewest && !isStalled(worker, at: now) { (chosen, fewest) = (worker, count) }
        }
        return chosen
    }

    /// How many connections are open, handshakes under way included.
    public var openConnectionCount: Int {
        func count(_ workers: [Worker]) -> Int {
            workers.reduce(0) { $0 + $1.openCount.load(ordering: .relaxed) }
        }
        return count(workers) + spares.withLock { count($0) }
    }

    /// Whether there is room for a connection; logs if not.
    private func mayServe(_ connection: AcceptedConnection) -> Bool {
        isShortageLogged.store(false, ordering: .relaxed)
        guard openConnectionCount >= connectionLimit else { return true }
        log.peerEvent(
            .refusedConnection, .debug,
            "refused \(connection.peer): \(connectionLimit) connections are open "
                + "(--max-connections)")
        return false
    }

    func logShortage(_ error: SystemError) {
        guard !isShortageLogged.exchange(true, ordering: .relaxed) else { return }
        log(.error, "cannot accept connections for now: \(error); open ones are unaffected")
    }

    func isStalled(_ worker: Worker, at now: MonotonicTime) -> Bool {
        worker.loop.isStalled(for: configuration.stalledLoopLimit, at: now)
    }
}

// MARK: - While workers are blocked. On the control loop's thread.

extension Server {
    /// Sees to it that connections reach workers that are not blocked.
    func relieveStalledWorkers(at now: MonotonicTime) {
        if isStalled(workers[0], at: now) {
            control.lastStall = now
            beginAccepting()
        } else if now > control.lastStall + Self.acceptingPause {
            control.closeListeners()
        }
        for worker in allWorkers where worker.hasDealt && isStalled(worker, at: now) {
            guard runningWorker(at: now) != nil else { return }
            for connection in worker.takeBackDealt() { place(connection, at: now) }
        }
    }

    private func beginAccepting() {
        control.listen(gate: gate, onShortage: logShortage) { [self] connection in
            let now = control.loop.currentTime
            if mayServe(connection) { return place(connection, at: now) }
            guard let worker = runningWorker(at: now) else { return }
            worker.loop.submit { worker.refuse(connection) }
        }
    }

    /// Gives a connection to a worker that is not blocked. If there is none it waits at the one
    /// with the fewest, until another one runs.
    private func place(_ connection: AcceptedConnection, at now: MonotonicTime) {
        // One that takes none any more ends, and the server with it: the connection is closed.
        _ = (runningWorker(at: now) ?? Self.fewest(allWorkers))?.deal(connection)
    }

    /// One that is not blocked: with the fewest connections, a spare one after all others. `nil`,
    /// and the log says so: there is none, and there may be no more.
    private func runningWorker(at now: MonotonicTime) -> Worker? {
        let worker =
            Self.fewest(workers.filter { !isStalled($0, at: now) })
            ?? Self.fewest(spares.withLock(\.self).filter { !isStalled($0, at: now) })
            ?? startSpare()
        if worker == nil && !control.isShortageOfLoopsLogged {
            log(
                .error,
                "all event loops are blocked by handlers, \(spareCount) spare ones included: new "
                    + "connections wait (--threads, --spare-threads)")
        }
        control.isShortageOfLoopsLogged = worker == nil
        return worker
    }

    private static func fewest(_ workers: [Worker]) -> Worker? {
        workers.min {
            $0.openCount.load(ordering: .relaxed) < $1.openCount.load(ordering: .relaxed)
        }
    }

    /// Begins another worker, which stays until the server ends; `nil` if there may be no more.
    private func startSpare() -> Worker? {
        let index = spareCount
        guard index < configuration.spareLoopLimit, let makeSpare = control.makeSpare else {
            return nil
        }
        do throws(SystemError) {
            let worker = try makeSpare(workers.count + index)
            let thread = try worker.loop.start()
            spares.withLock { $0.append(worker) }
            state.withLock { $0.threads.append(WorkerThread(worker: worker, thread: thread)) }
            control.monitor?.watch(worker.loop)
            startReporting(worker, loopIndex: workers.count + index)
            log(
                .debug,
                "all event loops are blocked: spare loop \(index + 1) of "
                    + "\(configuration.spareLoopLimit) begins (--spare-threads)")
            return worker
        } catch {
            logShortage(error)
            return nil
        }
    }

    private var spareCount: Int { spares.withLock(\.count) }
}
