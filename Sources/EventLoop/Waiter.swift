/// A task that waits for a value.
///
/// It is resumed once: whoever does that takes it out of its place first. Belongs to its loop's
/// thread. Inlinable, because each message is waited for.
@usableFromInline
package struct Waiter<Value: Sendable> {
    /// Tells it from other waits, later ones of the same task included.
    @usableFromInline package let number: Int
    @usableFromInline package let continuation: UnsafeContinuation<Value, Never>
    @usableFromInline var timeLimit: TimeLimit?

    @usableFromInline
    final class TimeLimit {
        private let loop: Loop
        private let timer: Timer

        fileprivate init(_ loop: Loop, _ timer: Timer) {
            self.loop = loop
            self.timer = timer
        }

        @usableFromInline func cancel() { loop.cancel(timer) }
    }

    @inlinable
    package init(number: Int, _ continuation: UnsafeContinuation<Value, Never>) {
        self.number = number
        self.continuation = continuation
    }

    /// - Parameter onTimeout: called after this time, unless the waiter was resumed before; has to
    ///   resume it.
    package mutating func limit(
        to timeout: Duration, on loop: Loop, onTimeout: @escaping () -> Void
    ) {
        let timer = loop.makeTimer(onTimeout)
        timeLimit = TimeLimit(loop, timer)
        // From the present, not from the turn's beginning: the task may have computed since.
        loop.schedule(timer, at: loop.currentTime + timeout)
    }

    @inlinable
    package func resume(returning value: Value) {
        timeLimit?.cancel()
        continuation.resume(returning: value)
    }
}

extension Optional {
    /// Resumes the waiter and clears its place.
    @inlinable
    package mutating func resume<Value>(returning value: Value) where Wrapped == Waiter<Value> {
        take()?.resume(returning: value)
    }

    /// Resumes the waiter if it is the one with this number.
    @inlinable
    package mutating func resume<Value>(
        _ number: Int, returning value: Value
    ) where Wrapped == Waiter<Value> {
        if self?.number == number { resume(returning: value) }
    }
}

extension Array {
    @inlinable
    package mutating func resumeAll<Value>(returning value: Value) where Element == Waiter<Value> {
        let waiters = self
        self = []
        for waiter in waiters { waiter.resume(returning: value) }
    }

    /// Resumes the waiter with this number, if it is here.
    @inlinable
    package mutating func resume<Value>(
        _ number: Int, returning value: Value
    ) where Element == Waiter<Value> {
        guard let index = firstIndex(where: { $0.number == number }) else { return }
        remove(at: index).resume(returning: value)
    }
}

/// Why a wait ended without what it was for.
package enum WaitInterruption: Sendable {
    case cancelled
    case timedOut
}

/// An object that belongs to a loop's thread, and is called from any.
package protocol LoopBound: AnyObject, Sendable {
    var loop: Loop { get }
}

extension LoopBound {
    /// Runs `body` on the loop's thread: at once if the caller is there.
    nonisolated(nonsending) package func onLoop<Result: Sendable>(
        _ body: @escaping @Sendable (Self) -> Result
    ) async -> Result {
        if loop.isCurrent { return body(self) }
        return await withUnsafeContinuation { continuation in
            loop.submit { continuation.resume(returning: body(self)) }
        }
    }

    /// Waits for a value, also if the task is cancelled.
    ///
    /// - Parameter start: called on the loop's thread; keeps the waiter, or resumes it.
    nonisolated(nonsending) package func wait<Value: Sendable>(
        _ start: @escaping @Sendable (Self, Waiter<Value>) -> Void
    ) async -> Value {
        let number = loop.nextWaitNumber()
        return await withUnsafeContinuation { continuation in
            if loop.isCurrent {
                start(self, Waiter(number: number, continuation))
            } else {
                loop.submit { start(self, Waiter(number: number, continuation)) }
            }
        }
    }

    /// Waits for a value, until the task is cancelled or the time is over.
    ///
    /// - Parameters:
    ///   - timeout: `nil`: no limit.
    ///   - start: called on the loop's thread; keeps the waiter, or resumes it.
    ///   - interrupt: called there with the waiter's number; resumes it if it is still kept. The
    ///     call for a cancellation may come after the wait is over.
    nonisolated(nonsending) package func wait<Value: Sendable>(
        timeout: Duration? = nil,
        _ start: @escaping @Sendable (Self, Waiter<Value>) -> Void,
        interrupt: @escaping @Sendable (Self, Int, WaitInterruption) -> Void
    ) async -> Value {
        let number = loop.nextWaitNumber()
        return await withTaskCancellationHandler {
            await withUnsafeContinuation { continuation in
                let begin: @Sendable () -> Void = {
                    var waiter = Waiter(number: number, continuation)
                    if let timeout {
                        waiter.limit(to: timeout, on: self.loop) { [unowned self] in
                            interrupt(self, number, .timedOut)
                        }
                    }
                    start(self, waiter)
                }
                if loop.isCurrent { return begin() }
                loop.submit(begin)
                // A cancellation before that came too early to end this wait.
                if Task.isCancelled { loop.submit { interrupt(self, number, .cancelled) } }
            }
        } onCancel: {
            loop.submit { interrupt(self, number, .cancelled) }
        }
    }
}
