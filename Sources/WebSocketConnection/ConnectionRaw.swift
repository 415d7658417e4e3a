import EventLoop

// For tests of clients: a connection whose bytes are the handler's. The session sees none of them.

extension Connection {
    struct RawReceiver {
        let number: Int
        let continuation: UnsafeContinuation<RawReceived, Never>
    }

    typealias RawReceived = Result<[UInt8]?, ConnectionError>

    nonisolated(nonsending) func unsafeReceive(timeout: Duration?) async -> RawReceived {
        let number = nextWaitNumber()
        return await wait(
            { connection, continuation in
                connection.startRawWaiting(
                    RawReceiver(number: number, continuation: continuation), timeout)
            },
            cancel: { connection in
                if connection.rawReceiver?.number == number {
                    connection.stopRawWaiting(.failure(.cancelled))
                }
            })
    }

    private func startRawWaiting(_ receiver: RawReceiver, _ timeout: Duration?) {
        isRaw = true
        guard rawReceiver == nil, self.receiver == nil else {
            return receiver.continuation.resume(returning: .failure(.receiveInProgress))
        }
        if let bytes = takeRaw() { return receiver.continuation.resume(returning: .success(bytes)) }
        if let ending {
            return receiver.continuation.resume(returning: Self.receivedRaw(at: ending))
        }
        if hasRawEnd { return receiver.continuation.resume(returning: .success(nil)) }
        rawReceiver = receiver
        if let timeout {
            let timer = loop.makeTimer { [unowned self] in stopRawWaiting(.failure(.timedOut)) }
            receiveTimer = timer
            loop.schedule(timer, at: loop.currentTime + timeout)
        }
        stream.resumeReading()
    }

    /// What was read and not looked at.
    private func takeRaw() -> [UInt8]? {
        guard unparsedOffset < unparsed.count else { return nil }
        defer { (unparsed, unparsedOffset) = ([], 0) }
        return unparsedOffset == 0 ? unparsed : Array(unparsed[unparsedOffset...])
    }

    func receivedRaw(_ bytes: UnsafeRawBufferPointer) {
        guard !hasEnded, !bytes.isEmpty else { return }
        unparsed.append(contentsOf: bytes)
        if rawReceiver != nil, let bytes = takeRaw() {
            stopRawWaiting(.success(bytes))
        } else if unparsed.count >= settings.receiveQueueByteLimit {
            stream.pauseReading()
        }
    }

    /// The peer sends no more. Writing may go on.
    func endRaw() {
        hasRawEnd = true
        stopRawWaiting(.success(nil))
    }

    func stopRawWaiting(_ result: RawReceived) {
        guard let rawReceiver else { return }
        if let receiveTimer { loop.cancel(receiveTimer) }
        receiveTimer = nil
        self.rawReceiver = nil
        rawReceiver.continuation.resume(returning: result)
    }

    static func receivedRaw(at ending: ConnectionError) -> RawReceived {
        if case .closed = ending { .success(nil) } else { .failure(ending) }
    }
}
