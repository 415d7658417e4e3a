import EventLoop
import Logging
import WebSocketProtocol

extension Connection {
    /// Sends a Ping or Pong of ours, if the connection still permits it.
    func writeControl(_ opcode: Opcode, _ payload: [UInt8]) {
        guard !hasEnded,
            let frame = try? session.frameForControl(opcode, payload, maskingKey: maskingKey)
        else { return }
        if log.isEnabled(.fine) {
            log(.fine, "\(stream.peer) sent \(opcode) \(payload.count) bytes")
        }
        stream.write(frame)
        if opcode == .ping { traffic.unansweredPingCount &+= 1 }
    }

    /// - Returns: how long the Pong took.
    nonisolated(nonsending) func ping(_ payload: [UInt8]) async -> Result<Duration, ConnectionError>
    {
        let sent = await onLoop { $0.loop.currentTime }
        let answered: Result<MonotonicTime, ConnectionError> = await wait { connection, waiter in
            connection.startPing(payload, waiter)
        } interrupt: { connection, number, _ in
            connection.cancelPing(number)
        }
        return answered.map { $0 - sent }
    }

    private func startPing(
        _ payload: [UInt8], _ waiter: Waiter<Result<MonotonicTime, ConnectionError>>
    ) {
        if case .failure(let error) = writeOwnControl(.ping, payload) {
            return waiter.resume(returning: .failure(error))
        }
        makeWaits().pongs.append(
            Waits.PongWaiter(payload: payload, sentAt: loop.currentTime, waiter: waiter))
    }

    private func cancelPing(_ number: Int) {
        guard let waits, let index = waits.pongs.firstIndex(where: { $0.waiter.number == number })
        else { return }
        waits.pongs.remove(at: index).waiter.resume(returning: .failure(.cancelled))
    }

    /// Sends a Ping or Pong of the handler's.
    nonisolated(nonsending) func sendControl(
        _ opcode: Opcode, _ payload: [UInt8]
    ) async throws(ConnectionError) {
        try await onLoop { $0.writeOwnControl(opcode, payload) }.get()
        if await onLoop({ $0.flushOverMark() }) { try await waitUntilDrained() }
    }

    private func writeOwnControl(
        _ opcode: Opcode, _ payload: [UInt8]
    ) -> Result<Void, ConnectionError> {
        if let ending { return .failure(ending) }
        do throws(SendError) {
            stream.write(try session.frameForControl(opcode, payload, maskingKey: maskingKey))
            if opcode == .ping { traffic.unansweredPingCount &+= 1 }
            return .success(())
        } catch {
            return .failure(
                error == .closeAlreadySent ? .closed(session.receivedClose) : .notSendable(error))
        }
    }

    /// A Pong answers the Ping with its payload, and all before it (RFC 6455 §5.5.3).
    func receivedPong(_ payload: [UInt8]) {
        if case .open(.pong(let wait)) = phase {
            if payload == Self.keepAlivePayload {
                endpoint.counters?.answeredPing(after: loop.now - wait.sentAt)
            }
            watchForSilence()
        }
        if traffic.unansweredPingCount > 0 { traffic.unansweredPingCount &-= 1 }
        guard let waits, let index = waits.pongs.firstIndex(where: { $0.payload == payload })
        else { return }
        let answered = waits.pongs[...index]
        waits.pongs.removeSubrange(...index)
        let now = loop.currentTime
        for pong in answered {
            endpoint.counters?.answeredPing(after: now - pong.sentAt)
            pong.waiter.resume(returning: .success(now))
        }
    }
}
