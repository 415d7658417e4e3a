import EventLoop
import WebSocketProtocol

extension Connection {
    /// Sends from a task that runs elsewhere.
    nonisolated(nonsending) func sendFromAfar(
        _ message: Message, isFinal: Bool
    ) async throws(ConnectionError) {
        let mustWait = try await onLoop { connection in
            Result { () throws(ConnectionError) in try connection.write(message, isFinal) }
        }.get()
        if mustWait { try await waitUntilDrained() }
    }

    /// Puts a message into the queue. On the loop's thread.
    ///
    /// - Returns: whether the sender has to wait until the queue has drained.
    func write(_ message: Message, _ isFinal: Bool) throws(ConnectionError) -> Bool {
        switch message {
        case .text(var text):
            let destination = try reserve(.text, text.utf8.count, isFinal)
            text.withUTF8 { Self.copy(UnsafeRawBufferPointer($0), to: destination) }
            stream.commit(destination.byteCount)
        case .binary(let bytes):
            let destination = try reserve(.binary, bytes.count, isFinal)
            bytes.withUnsafeBytes { Self.copy($0, to: destination) }
            stream.commit(destination.byteCount)
        }
        if isFinal { sentMessageCount &+= 1 }
        if log.isEnabled(.fine) { log(.fine, "\(stream.peer) sent \(describe(message))") }
        return flushOverMark()
    }

    /// Sends at once what is over the mark.
    ///
    /// - Returns: whether the sender has to wait: for the socket, or for the others' turn.
    private func flushOverMark() -> Bool {
        guard stream.isOverDrainMark else { return false }
        if sentInTurn.turn != loop.now { sentInTurn = (loop.now, 0) }
        let sentBefore = stream.sentByteCount
        stream.flush()
        sentInTurn.byteCount &+= stream.sentByteCount &- sentBefore
        return stream.isOverDrainMark || sentInTurn.byteCount > Self.sendLimitPerTurn
    }

    /// Bytes after which a sender whose client keeps up lets the loop's other connections go on.
    private static let sendLimitPerTurn = 262_144

    private typealias Destination = (start: UnsafeMutableRawPointer, header: FrameHeader, byteCount: Int)

    /// Checks that a frame may go out, and finds room for it.
    private func reserve(
        _ kind: Opcode, _ payloadByteCount: Int, _ isFinal: Bool
    ) throws(ConnectionError) -> Destination {
        if isDone { throw ending ?? .closed(session.receivedClose) }
        let queued = stream.queuedByteCount
        if queued > settings.sendQueueByteMark,
            queued + payloadByteCount > settings.sendQueueByteLimit
        {
            throw .sendQueueFull(
                byteCount: queued + payloadByteCount, byteLimit: settings.sendQueueByteLimit)
        }
        let header: FrameHeader
        do throws(SendError) {
            header = try session.headerForData(
                kind, payloadByteCount: payloadByteCount, isFinal: isFinal)
        } catch {
            throw .notSendable(error)
        }
        let byteCount = header.byteCount + payloadByteCount
        return (stream.reserve(byteCount), header, byteCount)
    }

    private static func copy(_ payload: UnsafeRawBufferPointer, to destination: Destination) {
        destination.header.write(payload, to: destination.start)
    }

    /// Waits until the queue has fallen to its mark.
    nonisolated(nonsending) func waitUntilDrained() async throws(ConnectionError) {
        await withTaskCancellationHandler {
            await withUnsafeContinuation { continuation in
                if loop.isCurrent {
                    startDraining(continuation)
                } else {
                    loop.submit { self.startDraining(continuation) }
                    // A cancellation before that was too early to end this wait.
                    if Task.isCancelled { loop.submit { self.streamDrained() } }
                }
            }
        } onCancel: {
            loop.submit { self.streamDrained() }
        }
        if loop.isCurrent { noteActivity() }
        if Task.isCancelled { throw .cancelled }
        if let ending = await onLoop({ $0.ending }) { throw ending }
    }

    private func startDraining(_ continuation: UnsafeContinuation<Void, Never>) {
        guard ending == nil, stream.isOverDrainMark else {
            return loop.submit { continuation.resume() }  // in the next turn
        }
        drainWaiters.append(continuation)
        stream.needsDrainNotice = true
    }
}

// MARK: - Control frames

extension Connection {
    /// Sends a Ping or Pong of ours, if the connection still lets it.
    func writeControl(_ opcode: Opcode, _ payload: [UInt8]) {
        guard ending == nil, let frame = try? session.frameForControl(opcode, payload) else { return }
        if log.isEnabled(.fine) { log(.fine, "\(stream.peer) sent \(opcode) \(payload.count) bytes") }
        stream.write(frame)
    }

    nonisolated(nonsending) func ping(_ payload: [UInt8]) async -> Result<Duration, ConnectionError> {
        let number = nextWaitNumber()
        return await withTaskCancellationHandler {
            await withUnsafeContinuation { continuation in
                let waiter = PingWaiter(
                    number: number, payload: payload, sentAt: .current(), continuation: continuation)
                if loop.isCurrent {
                    startPing(waiter)
                } else {
                    loop.submit { self.startPing(waiter) }
                    // A cancellation before that was too early to end this wait.
                    if Task.isCancelled { loop.submit { self.cancelPing(number) } }
                }
            }
        } onCancel: {
            loop.submit { self.cancelPing(number) }
        }
    }

    private func startPing(_ waiter: PingWaiter) {
        if case .failure(let error) = writeOwnControl(.ping, waiter.payload) {
            return waiter.continuation.resume(returning: .failure(error))
        }
        pingWaiters.append(waiter)
    }

    private func cancelPing(_ number: Int) {
        guard let index = pingWaiters.firstIndex(where: { $0.number == number }) else { return }
        pingWaiters.remove(at: index).continuation.resume(returning: .failure(.cancelled))
    }

    nonisolated(nonsending) func sendPong(_ payload: [UInt8]) async throws(ConnectionError) {
        try await onLoop { $0.writeOwnControl(.pong, payload) }.get()
        if await onLoop({ $0.flushOverMark() }) { try await waitUntilDrained() }
    }

    private func writeOwnControl(
        _ opcode: Opcode, _ payload: [UInt8]
    ) -> Result<Void, ConnectionError> {
        if let ending { return .failure(ending) }
        do throws(SendError) {
            stream.write(try session.frameForControl(opcode, payload))
            return .success(())
        } catch {
            return .failure(
                error == .closeAlreadySent ? .closed(session.receivedClose) : .notSendable(error))
        }
    }

    /// A Pong answers the Ping with its payload, and all before it (RFC 6455 §5.5.3).
    func receivedPong(_ payload: [UInt8]) {
        if case .pong = timerPurpose { scheduleKeepAlive() }
        guard let index = pingWaiters.firstIndex(where: { $0.payload == payload }) else { return }
        let now = MonotonicTime.current()
        for waiter in pingWaiters[...index] {
            waiter.continuation.resume(returning: .success(now - waiter.sentAt))
        }
        pingWaiters.removeSubrange(...index)
    }

    nonisolated(nonsending) func unsafeWrite(_ bytes: [UInt8]) async throws(ConnectionError) {
        let mustWait: Result<Bool, ConnectionError> = await onLoop { connection in
            if let ending = connection.ending { return .failure(ending) }
            connection.stream.write(bytes)
            return .success(connection.flushOverMark())
        }
        if try mustWait.get() { try await waitUntilDrained() }
    }
}
