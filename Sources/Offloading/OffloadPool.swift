import EventLoop
import Glibc

/// The threads of ``offload(_:)``, and the calls that wait for one.
///
/// `@unchecked Sendable`: everything mutable is touched with `lock` held only.
package final class OffloadPool: @unchecked Sendable {
    /// That of the process.
    package static let shared = OffloadPool()

    private let lock = WaitableLock()
    private var settings: OffloadSettings
    private var waiting = CallQueue()
    private var threadCount = 0
    /// Threads without a call: they wait for one, or are being started. As many of the calls in
    /// `waiting` are as good as begun.
    private var idleCount = 0

    package init(_ settings: OffloadSettings = OffloadSettings()) { self.settings = settings }

    /// Sets the limits. What runs and waits already is left alone.
    package func configure(_ settings: OffloadSettings) {
        lock.withLock { self.settings = settings }
    }

    /// For tests: threads, and calls that have not begun.
    package var counts: (threads: Int, waiting: Int) {
        lock.withLock { (threadCount, waiting.count) }
    }

    /// See ``offload(_:)``.
    package func run<Value: Sendable>(
        _ work: @escaping @Sendable () throws -> Value
    ) async throws -> Value {
        let ticket = Ticket()
        // A crash names the route that it happened in.
        let activity = ThreadActivity.current
        return try await withTaskCancellationHandler {
            try await withUnsafeThrowingContinuation { continuation in
                enqueue(
                    Call(
                        ticket: ticket,
                        run: {
                            ThreadActivity.note(activity)
                            continuation.resume(with: Result { try work() })
                            ThreadActivity.note(-1)
                        },
                        fail: { continuation.resume(throwing: $0) }))
            }
        } onCancel: {
            cancel(ticket)
        }
    }

    // MARK: - Calls

    /// Names a call for its cancellation, which may come before the call.
    ///
    /// `@unchecked Sendable`: touched with the pool's lock held only.
    final class Ticket: @unchecked Sendable {
        var isCancelled = false
    }

    struct Call: Sendable {
        let ticket: Ticket
        let run: @Sendable () -> Void
        let fail: @Sendable (any Error) -> Void
    }

    private enum Admission {
        /// It waits for a thread that there is.
        case waits
        /// It waits, and a thread has to be started for it.
        case needsThread
        case refused(any Error)
    }

    private func enqueue(_ call: Call) {
        switch lock.withLock({ admit(call) }) {
        case .waits: lock.wakeOne()
        case .needsThread: startThread()
        case .refused(let error): call.fail(error)
        }
    }

    /// With the lock held.
    private func admit(_ call: Call) -> Admission {
        guard !call.ticket.isCancelled else { return .refused(CancellationError()) }
        let isThreadFree = idleCount > waiting.count
        let mayStart = threadCount < settings.threadCountLimit
        guard
            isThreadFree || mayStart || waiting.count - idleCount < settings.waitingCallLimit
        else {
            return .refused(OffloadError.tooManyCalls(limit: settings.waitingCallLimit))
        }
        waiting.append(call)
        guard !isThreadFree, mayStart else { return .waits }
        threadCount += 1
        idleCount += 1
        return .needsThread
    }

    private func cancel(_ ticket: Ticket) {
        let call = lock.withLock {
            ticket.isCancelled = true
            return waiting.remove { $0.ticket === ticket }
        }
        call?.fail(CancellationError())
    }

    // MARK: - Threads

    /// Starts the thread that ``admit(_:)`` counted already.
    private func startThread() {
        do throws(SystemError) {
            _ = try LoopThread { [self] in
                var call = next(isNew: true)
                while let running = call {
                    running.run()
                    call = next(isNew: false)
                }
            }
        } catch {
            // The others come to what waits; without others nobody does.
            let abandoned = lock.withLock {
                threadCount -= 1
                idleCount -= 1
                return threadCount == 0 ? waiting.removeAll() : []
            }
            for call in abandoned { call.fail(OffloadError.noThread(code: error.code)) }
        }
    }

    /// Waits for a call.
    ///
    /// - Parameter isNew: whether the calling thread is counted as idle already.
    /// - Returns: `nil` if none came within the idle time: then the thread is not counted any more.
    private func next(isNew: Bool) -> Call? {
        lock.withLock {
            if !isNew { idleCount += 1 }
            defer { idleCount -= 1 }
            while waiting.isEmpty {
                if !lock.wait(for: settings.idleTimeout) && waiting.isEmpty {
                    threadCount -= 1
                    return nil
                }
            }
            return waiting.popFirst()
        }
    }
}
