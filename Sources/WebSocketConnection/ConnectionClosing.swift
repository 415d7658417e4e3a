import EventLoop
import WebSocketProtocol

// The ways a connection ends:
//   we close      close() or the handler's return: Close goes out, the client's is awaited
//   client closes the client's Close is answered, then TCP is closed from here
//   client errs   a Close with the fault's code goes out, TCP is closed
//   TCP ends      nothing can be sent
// All of them come to end(_:), once.

extension Connection {
    /// Sends a Close and waits for the client's.
    nonisolated(nonsending) func close(_ close: Close) async -> Result<Close?, ConnectionError> {
        let sent = await onLoop { $0.sendClose(close) }
        if case .failure(let error) = sent { return .failure(error) }
        return await waitUntilEnded()
    }

    private nonisolated(nonsending) func waitUntilEnded() async -> Result<Close?, ConnectionError> {
        await withUnsafeContinuation { continuation in
            if loop.isCurrent {
                startWaitingForEnd(continuation)
            } else {
                loop.submit { self.startWaitingForEnd(continuation) }
            }
        }
        return .success(await onLoop { $0.session.receivedClose })
    }

    private func startWaitingForEnd(_ continuation: UnsafeContinuation<Void, Never>) {
        if hasEnded { continuation.resume() } else { madeRare.closeWaiters.append(continuation) }
    }

    /// Begins the closing handshake, unless it has begun. On the loop's thread.
    @discardableResult
    package func sendClose(_ close: Close) -> Result<Void, ConnectionError> {
        if isDone { return .success(()) }
        do throws(SendError) {
            let frame = try session.frameForClose(close, maskingKey: maskingKey)
            log(.fine, "\(stream.peer) sent close \(escaped("\(close)"))")
            stream.write(frame)
        } catch {
            return .failure(.notSendable(error))
        }
        if session.hasReceivedClose {
            end(.closed(session.receivedClose))
            return .success(())
        }
        passTurn()
        if isRaw {
            // Whatever comes now is the handler's, so no answer can be waited for.
            end(.closed(nil))
            return .success(())
        }
        timerPurpose = .closeAnswer
        loop.schedule(timer, after: settings.closeTimeout)
        stopWaiting(.success(nil))
        // What the handler did not take keeps nobody waiting now.
        if unparsed.isEmpty { stream.resumeReading() } else { parseUnparsed() }
        return .success(())
    }

    func receivedClose(_ close: Close) {
        log(.fine, "\(stream.peer) received close \(escaped("\(close)"))")
        if session.hasSentClose { return end(.closed(close)) }
        isAnsweringClose = true
        // The handler may be answering the messages that came before: it gets a moment for that,
        // and the answer goes out as soon as it asks for the next one.
        if isHandlerBusy || !inbox.isEmpty {
            timerPurpose = .closeGrace
            loop.schedule(timer, after: min(Self.closeGrace, settings.closeTimeout))
        } else {
            answerClose()
        }
    }

    /// How long the answer to a Close waits for a handler that still works on a message before it.
    private static let closeGrace: Duration = .seconds(1)

    /// Answers the client's Close with what the route's hook says.
    func answerClose() {
        guard isAnsweringClose, !hasEnded, let received = session.receivedClose else { return }
        isAnsweringClose = false
        guard let hook = endpoint.passiveClosingHandshake else {
            return finishClose(with: received)
        }
        timerPurpose = .closeAnswer
        loop.schedule(timer, after: settings.closeTimeout)
        closingTask = Task(executorPreference: loop) { [self] in
            do {
                let answer = try await hook(received)
                await onLoop { $0.finishClose(with: answer) }
            } catch {
                log(.debug, "no answer to the Close of \(stream.peer): \(escaped("\(error)"))")
                await onLoop { $0.end(.lost) }
            }
        }
    }

    private func finishClose(with answer: Close) {
        if case .failure(let error) = sendClose(answer) {
            log(.error, "\(endpoint.name): passiveClosingHandshake: \(error)")
            sendClose(Close(.internalError))
        }
    }

    /// Fails the connection (RFC 6455 §7.1.7), after the handler had its turn with what came
    /// before.
    func failSoon(_ error: ProtocolError) {
        loop.submit { [self] in
            guard !hasEnded else { return }
            logFailure(error)
            if !session.hasSentClose,
                let frame = try? session.frameForClose(
                    Close(error.closeCode, reason: "\(error)"), maskingKey: maskingKey)
            {
                stream.write(frame)
            }
            end(.failed(error))
        }
    }

    private func logFailure(_ error: ProtocolError) {
        let isAboutCompression =
            switch error {
            case .invalidCompressedData, .compressionUnavailable: true
            default: false
            }
        log.peerEvent(
            .failedConnection, .info, isAboutCompression: isAboutCompression,
            "failed \(endpoint.name) \(stream.peer): \(error)")
    }

    func endWithoutAnswer() {
        log(.debug, "no answer to the Close within \(settings.closeTimeout): \(stream.peer)")
        end(.closed(nil))
    }

    /// Ends the connection: TCP is closed, whoever waits is told. Later calls do nothing.
    func end(_ ending: ConnectionError) {
        guard !hasEnded else { return }
        self.ending = ending
        logEnd(ending)
        unparsed = []
        closingTask?.cancel()
        releaseWaiters(ending)
        if task != nil {
            timerPurpose = .task
            loop.schedule(timer, after: settings.closeTimeout)
        } else {
            loop.cancel(timer)
        }
        switch ending {
        case .closed(let close):
            // §7.1.1: the server closes TCP first. §5.5.1, §5.5.2: nothing but a Pong
            // follows the peer's Close.
            stream.closeAfterSending(
                linger: settings.closeTimeout,
                peerIsFirst: endpoint.role == .client && close != nil,
                peerIsDone: close != nil && unansweredPingCount == 0)
        case .failed: stream.closeAfterSending(linger: settings.closeTimeout)
        default: stream.close()
        }
    }

    /// Ends the connection without waiting for anything.
    package func drop() {
        task?.cancel()
        end(.lost)
        stream.close()
    }

    /// Makes room for another connection once TCP is closed and the handler has ended.
    func leaveIfDone() {
        if stream.isClosed && task == nil { endpoint.onLeave(self) }
    }

    private func releaseWaiters(_ ending: ConnectionError) {
        stopWaiting(Self.received(at: ending))
        guard rare != nil else { return }
        stopRawWaiting(Self.receivedRaw(at: ending))
        passTurn()
        wakeSleepers(ending)
        let (drains, pings, closes) = (drainWaiters, pingWaiters, closeWaiters)
        (drainWaiters, pingWaiters, closeWaiters) = ([], [], [])
        for waiter in drains { waiter.resume() }
        for waiter in pings { waiter.continuation.resume(returning: .failure(ending)) }
        for waiter in closes { waiter.resume() }
    }
}

// MARK: - The handler's task

extension Connection {
    /// Runs the handler to its end and closes accordingly. In the handler's task.
    ///
    /// - Returns: the task, if another handler may run in it: it was not cancelled, and no message
    ///   in pieces waits for it, as they do by its identity.
    nonisolated(nonsending) package func run(
        _ transferData: @Sendable (WebSocket) async throws -> Void
    ) async -> Task<Void, Never>? {
        noteActivity()
        handlerTask = .current
        do {
            try await transferData(WebSocket(self))
            if !closedAtOnce() { await closeAfterReturn() }
        } catch {
            await handlerThrew(error)
        }
        return loop.isCurrent ? leave() : await leaveOnLoop()
    }

    // Not inlined, these two and handlerThrew: their frames would be part of run's, which a waiting
    // handler keeps.

    @inline(never)
    private func closeAfterReturn() async {
        await onLoop { $0.handlerReturned() }
        _ = await waitUntilEnded()
    }

    @inline(never)
    private func leaveOnLoop() async -> Task<Void, Never>? { await onLoop { $0.leave() } }

    private func leave() -> Task<Void, Never>? {
        let task = task.take()
        handlerTask = nil
        if hasEnded { loop.cancel(timer) }
        leaveIfDone()
        return task?.isCancelled == false && !Self.areMessagesInPieces ? task : nil
    }

    /// Does without ``closeAfterReturn()`` where the peer's Close came first, so that nothing is
    /// waited for.
    ///
    /// - Returns: false if that is still to be called; what is done twice then has no effect.
    private func closedAtOnce() -> Bool {
        guard loop.isCurrent else { return false }
        handlerReturned()
        return hasEnded
    }

    /// Closes, unless the peer did: then it gets its answer, which a hook may be about to give.
    private func handlerReturned() {
        if isRaw {
            end(.closed(nil))
        } else if !session.hasReceivedClose {
            sendClose(Close(.normalClosure))
        } else {
            answerClose()
        }
    }

    @inline(never)
    private func handlerThrew(_ error: any Error) async {
        let isOwnEnd = (error as? ConnectionError)?.isEnd ?? false
        let hasEnded = await onLoop { $0.hasEnded || $0.session.hasReceivedClose }
        if !(hasEnded && (isOwnEnd || error is CancellationError)) {
            log(
                .error,
                "\(endpoint.name) \(stream.peer): the handler threw \(escaped("\(error)", limit: 1_000))"
            )
        }
        _ = await close(Close(.internalError))
    }
}
