import EventLoop
import WebSocketConnection

// For tests of clients: what a handshake's hook writes and reads by itself.

extension Exchange: UnsafeHandshakeStream {
    typealias RawReceived = Result<[UInt8]?, ConnectionError>

    struct RawReceiver {
        let number: Int
        let continuation: UnsafeContinuation<RawReceived, Never>
    }

    /// The hook runs: the handshake is neither answered nor lost.
    private var isHookRunning: Bool { task != nil && !stream.isClosed }

    nonisolated(nonsending) func unsafeWrite(_ bytes: [UInt8]) async throws(ConnectionError) {
        try await onLoop { exchange -> Result<Void, ConnectionError> in
            guard exchange.isHookRunning else { return .failure(.lost) }
            exchange.stream.write(bytes)
            return .success(())
        }.get()
    }

    nonisolated(nonsending) func unsafeReceive(
        timeout: Duration
    ) async throws(ConnectionError) -> [UInt8]? {
        let number = await onLoop { exchange in
            exchange.rawReceiveCount += 1
            return exchange.rawReceiveCount
        }
        let received = await withTaskCancellationHandler {
            await withUnsafeContinuation { continuation in
                let receiver = RawReceiver(number: number, continuation: continuation)
                // Behind a cancellation that came before, or ahead of one that comes now.
                worker.loop.submit { self.startRawWaiting(receiver, timeout) }
                if Task.isCancelled { worker.loop.submit { self.cancelRawWait(number) } }
            }
        } onCancel: {
            worker.loop.submit { self.cancelRawWait(number) }
        }
        return try received.get()
    }

    private nonisolated(nonsending) func onLoop<Value: Sendable>(
        _ body: @escaping @Sendable (Exchange) -> Value
    ) async -> Value {
        if worker.loop.isCurrent { return body(self) }
        return await withUnsafeContinuation { continuation in
            worker.loop.submit { continuation.resume(returning: body(self)) }
        }
    }

    private func startRawWaiting(_ receiver: RawReceiver, _ timeout: Duration) {
        guard isHookRunning else { return receiver.continuation.resume(returning: .failure(.lost)) }
        guard rawReceiver == nil else {
            return receiver.continuation.resume(returning: .failure(.receiveInProgress))
        }
        rawReceiver = receiver
        if pipelinedOffset < pipelined.count { return passOnRaw() }
        if hasRawEnd { return stopRawWaiting(.success(nil)) }
        let timer = worker.loop.makeTimer { [unowned self] in stopRawWaiting(.failure(.timedOut)) }
        rawTimer = timer
        worker.loop.schedule(timer, at: worker.loop.currentTime + timeout)
    }

    private func cancelRawWait(_ number: Int) {
        if rawReceiver?.number == number { stopRawWaiting(.failure(.cancelled)) }
    }

    /// Gives the hook what came.
    func passOnRaw() {
        let bytes = Array(pipelined[pipelinedOffset...])
        (pipelined, pipelinedOffset) = ([], 0)
        stopRawWaiting(.success(bytes))
    }

    /// The client sends no more; the hook may still answer.
    func endRaw() {
        hasRawEnd = true
        stopRawWaiting(.success(nil))
    }

    func stopRawWaiting(_ result: RawReceived) {
        guard let rawReceiver else { return }
        if let rawTimer { worker.loop.cancel(rawTimer) }
        rawTimer = nil
        self.rawReceiver = nil
        rawReceiver.continuation.resume(returning: result)
    }
}
