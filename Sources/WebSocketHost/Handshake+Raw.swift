import EventLoop
import HTTPServer
import WebSocketConnection

// For tests of clients: what a handshake's hook writes and reads by itself.

extension Handshake: UnsafeHandshakeStream, LoopBound {
    typealias ReceivedBytes = Result<[UInt8]?, ConnectionError>

    /// A hook that reads what comes behind the request.
    struct RawReceiving {
        var waiter: Waiter<ReceivedBytes>?
        /// The hook has asked for bytes: it wants to see the client's end, too.
        var hasBegun = false
        /// The client sends no more.
        var hasReachedEnd = false
    }

    nonisolated(nonsending) func unsafeWrite(_ bytes: [UInt8]) async throws(ConnectionError) {
        try await onLoop { handshake -> Result<Void, ConnectionError> in
            guard handshake.isHookRunning else { return .failure(.lost) }
            handshake.exchange.stream.write(bytes)
            return .success(())
        }.get()
    }

    nonisolated(nonsending) func unsafeReceive(
        timeout: Duration
    ) async throws(ConnectionError) -> [UInt8]? {
        let received: ReceivedBytes = await wait(timeout: timeout) { handshake, waiter in
            handshake.receiveRaw(waiter)
        } interrupt: { handshake, number, reason in
            handshake.raw.waiter.resume(number, returning: .failure(ConnectionError(reason)))
        }
        return try received.get()
    }

    private func receiveRaw(_ waiter: Waiter<ReceivedBytes>) {
        guard isHookRunning else { return waiter.resume(returning: .failure(.lost)) }
        guard raw.waiter == nil else {
            return waiter.resume(returning: .failure(.receiveInProgress))
        }
        raw.hasBegun = true
        if exchange.pipelinedByteCount > 0 {
            waiter.resume(returning: .success(exchange.takePipelined()))
        } else if raw.hasReachedEnd {
            waiter.resume(returning: .success(nil))
        } else {
            raw.waiter = waiter
        }
    }

    /// The client sends no more; the hook may still answer.
    func endRaw() {
        raw.hasReachedEnd = true
        raw.waiter.resume(returning: .success(nil))
    }
}
