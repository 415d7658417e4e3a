import EventLoop
import Synchronization

// A server as part of a program that is more than that.

extension Server {
    /// Adds or replaces the handler of a path.
    ///
    /// - Parameter path: begins with `/`, as it is after percent-decoding.
    /// - Throws: ``ListenError/alreadyStarted`` after ``start()``.
    public func route(_ path: String, _ handler: WebSocketHandler) throws(ListenError) {
        try state.withLock { state throws(ListenError) in
            guard state.phase == .new else { throw .alreadyStarted }
            state.routes.add(path, handler)
        }
    }

    /// Serves until the task is cancelled or ``stop()`` is called, and returns when the connections
    /// are closed: with 1001, and dropped after ``Configuration/drainTimeout``.
    ///
    /// - Parameter onStart: called once, with the addresses that answer and the port that the
    ///   kernel chose for 0, before this waits.
    /// - Throws: ``ListenError`` if it cannot begin. A cancelled task is no error.
    public func run(
        onStart: @Sendable ([SocketAddress]) -> Void = { _ in }
    ) async throws(ListenError) {
        onStart(try start())
        await withTaskCancellationHandler {
            await stopped()
        } onCancel: {
            stop()
        }
    }

    /// Waits, and blocks no thread, until a server that was started has stopped and its threads
    /// have ended.
    public func stopped() async {
        await withUnsafeContinuation { continuation in
            let mustJoin = state.withLock { state in
                state.stopWaiters.append(continuation)
                return !state.isRunning
            }
            if mustJoin { joinForWaiters() }
        }
    }

    /// The loops end, or have ended: joins their threads on one of its own, for that blocks. Only
    /// if somebody waits, since that thread keeps the server.
    func joinForWaiters() {
        let waiters = state.withLock { state in
            defer { state.stopWaiters = [] }
            state.isRunning = false
            return state.stopWaiters
        }
        guard !waiters.isEmpty else { return }
        let thread = try? LoopThread { [self] in
            waitUntilStopped()
            for waiter in waiters { waiter.resume() }
        }
        // Without a thread to join on they are resumed a moment too early, rather than never.
        if thread == nil { for waiter in waiters { waiter.resume() } }
    }
}
