import EventLoop

// For tests of clients: a connection whose bytes are the handler's. The session sees none of them.

extension Connection {
    typealias ReceivedBytes = Result<[UInt8]?, ConnectionError>

    nonisolated(nonsending) func unsafeWrite(_ bytes: [UInt8]) async throws(ConnectionError) {
        let mustWait: Result<Bool, ConnectionError> = await onLoop { connection in
            if let ending = connection.ending { return .failure(ending) }
            if connection.companion != nil { connection.sendWaiting() }
            connection.stream.write(bytes)
            return .success(connection.flushOverMark())
        }
        if try mustWait.get() { try await waitUntilDrained() }
    }

    nonisolated(nonsending) func unsafeReceive(timeout: Duration?) async -> ReceivedBytes {
        await wait(timeout: timeout) { connection, waiter in
            connection.receiveRaw(waiter)
        } interrupt: { connection, number, reason in
            connection.waits?.rawBytes.resume(
                number, returning: .failure(ConnectionError(reason)))
        }
    }

    /// - Returns: fewer bytes only if the peer sends no more; `nil` if there are none then.
    nonisolated(nonsending) func unsafeReceive(
        exactly count: Int, timeout: Duration?
    ) async -> ReceivedBytes {
        var all: [UInt8] = []
        while all.count < count {
            switch await unsafeReceive(timeout: timeout) {
            case .success(let bytes?): all += bytes
            case .success(nil): return .success(all.isEmpty ? nil : all)
            case .failure(let error):
                // What has come is there for the next call.
                await putBack(all[...])
                return .failure(error)
            }
        }
        let count = max(0, count)
        await putBack(all[count...])
        return .success(Array(all.prefix(count)))
    }

    private nonisolated(nonsending) func putBack(_ bytes: ArraySlice<UInt8>) async {
        await onLoop { $0.inbox.unparsed.putBack(bytes) }
    }

    private func receiveRaw(_ waiter: Waiter<ReceivedBytes>) {
        guard waits?.rawBytes == nil, handler.receiver == nil else {
            return waiter.resume(returning: .failure(.receiveInProgress))
        }
        switch phase {
        case .open, .awaitingClose: enter(.raw(hasReachedEnd: false))
        // The handler asks for no message any more.
        case .answeringClose: answerCloseIfDue()
        case .raw, .ended: break
        }
        if let bytes = inbox.unparsed.takeAll() { return waiter.resume(returning: .success(bytes)) }
        if let ending { return waiter.resume(returning: Self.receivedRaw(at: ending)) }
        if case .raw(hasReachedEnd: true) = phase { return waiter.resume(returning: .success(nil)) }
        makeWaits().rawBytes = waiter
        stream.resumeReading()
    }

    func receivedRaw(_ bytes: UnsafeRawBufferPointer) {
        guard !hasEnded, !bytes.isEmpty else { return }
        inbox.unparsed.append(bytes)
        if waits?.rawBytes != nil {
            waits?.rawBytes.resume(returning: .success(inbox.unparsed.takeAll()))
        } else if inbox.unparsed.count >= settings.receiveQueueByteLimit {
            stream.pauseReading()
        }
    }

    /// The peer sends no more. Writing may go on.
    func endRaw() {
        enter(.raw(hasReachedEnd: true))
        waits?.rawBytes.resume(returning: .success(nil))
    }

    static func receivedRaw(at ending: ConnectionError) -> ReceivedBytes {
        if case .closed = ending { .success(nil) } else { .failure(ending) }
    }
}
