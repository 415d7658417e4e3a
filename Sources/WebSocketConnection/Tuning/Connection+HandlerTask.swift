import EventLoop
import WebSocketProtocol

extension Connection {
    /// Waits for a message; in the handler's own task at the lowest price.
    ///
    /// Only this connection has that task to cancel it, so cancellations need not be watched for,
    /// unless the handler has cancelled itself: 1,000 of 7,600 instructions for each message. The
    /// standard library's underscored form of `withUnsafeContinuation` stays on the caller's
    /// executor; the other looks it up once more, under a lock: 260 of 5,250. Where a later library
    /// lacks that form, the plain one does the same.
    @usableFromInline
    nonisolated(nonsending) func waitForMessage(
        timeout: Duration?
    ) async throws(ConnectionError) -> Message? {
        guard loop.isCurrent, handler.taskIdentity == .current else {
            return try await waitForMessage(inAnyTask: timeout)
        }
        let received: Received = await _unsafeInheritExecutor_withUnsafeContinuation {
            continuation in
            var waiter = Waiter(number: Self.handlerWait, continuation)
            if let timeout {
                waiter.limit(to: timeout, on: loop) { [unowned self] in
                    interruptReceive(Self.handlerWait, .timedOut)
                }
            }
            startReceiving(waiter)
            if TaskIdentity.currentIsCancelled {
                loop.submit { self.interruptReceive(Self.handlerWait, .cancelled) }
            }
        }
        noteActivity()
        return try received.get()
    }

    /// The number of all waits of the handler's own task: there is one at a time.
    private static let handlerWait = 0
}
