import EventLoop
import Synchronization

// What lives with handlers, not with connections: `whileServing` and `feed`.

extension Server {
    /// How long a feed that was told to end is waited for, so that two of them do not use one
    /// source at a time. Shorter than a supervisor waits for the report of it.
    static let feedEndTimeout: Duration = .seconds(2)

    /// Begins `whileServing` of all handlers. A server that was started by ``start()`` has done so.
    package func beginServing() {
        state.withLock { if $0.phase == .started { hooks.begin(.whileServing) } }
    }

    /// Begins `feed` of all handlers, unless they run, or the server retires or stops. From any
    /// thread.
    package func startFeeds() {
        state.withLock { if $0.phase == .started { hooks.begin(.feed) } }
    }

    /// Ends all feeds: they publish nothing from now on, and are cancelled. From any thread.
    ///
    /// - Parameter onEnd: called once on the control loop's thread, when they have ended, or after
    ///   ``feedEndTimeout``.
    package func endFeeds(_ onEnd: @escaping @Sendable () -> Void) {
        let end = FeedEnd(onEnd)
        hooks.end([.feed]) { [control] in control.loop.submit { end.report(on: control.loop) } }
        control.loop.submit { [self] in
            end.waits(on: control.loop, for: Self.feedEndTimeout) { [weak self] in
                self?.logUnended([.feed])
            }
        }
    }

    /// Lets the routes of a handler file answer 503 for a time, and ends its hooks until then. From
    /// any thread.
    package func leaveOut(_ source: String, for duration: Duration) {
        state.withLock { $0.routes.leaveOut(source, for: duration) }
        hooks.leaveOut(source)
    }
}

/// The report that feeds have ended, which is made once.
///
/// `@unchecked Sendable`: everything mutable is touched on the control loop's thread only.
private final class FeedEnd: @unchecked Sendable {
    private var onEnd: (() -> Void)?
    private var timer: EventLoop.Timer?

    init(_ onEnd: @escaping @Sendable () -> Void) { self.onEnd = onEnd }

    func report(on loop: Loop) {
        timer.map(loop.cancel)
        timer = nil
        onEnd.take()?()
    }

    func waits(on loop: Loop, for duration: Duration, onTimeout: @escaping () -> Void) {
        guard onEnd != nil else { return }
        let timer = loop.makeTimer { [self] in
            onTimeout()
            report(on: loop)
        }
        self.timer = timer
        loop.schedule(timer, at: loop.currentTime + duration)
    }
}

// MARK: - The end of the server, on the control loop's thread

extension Server {
    /// The last connection has ended: so do the hooks without one, and then the server.
    func endHooks() {
        control.hookDeadline = control.loop.currentTime + configuration.drainTimeout
        hooks.end(ServingHooks.parts) { [weak self, control] in
            control.loop.submit { [weak self] in self?.hooksEnded() }
        }
    }

    private func hooksEnded() {
        guard control.hookDeadline != nil else { return }
        control.hookDeadline = nil
        end()
    }

    /// Whether the hooks have been waited for long enough.
    func isServingOverdue(at now: MonotonicTime) -> Bool {
        guard let deadline = control.hookDeadline else { return false }
        return now >= min(deadline, control.giveUpTime ?? deadline)
    }

    func giveUpHooks(at now: MonotonicTime) {
        logUnended(ServingHooks.parts)
        let worker = workers[0]
        if worker.loop.isStalled(for: configuration.stalledLoopLimit, at: now) {
            // Its thread ends when it comes round, or with the process.
            state.withLock { $0.threads.removeAll { $0.worker === worker } }
        }
        hooksEnded()
    }

    private func logUnended(_ parts: Set<RoutePart>) {
        for name in hooks.unended(parts) {
            log(.warning, "\(name) goes on although it was cancelled: it is not waited for")
        }
    }
}
