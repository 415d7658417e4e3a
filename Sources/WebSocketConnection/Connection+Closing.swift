import EventLoop
import Logging
import WebSocketProtocol

extension Connection {
    /// Sends a Close and waits for the peer's.
    nonisolated(nonsending) func close(_ close: Close) async -> Result<Close?, ConnectionError> {
        let sent = await onLoop { $0.sendClose(close) }
        if case .failure(let error) = sent { return .failure(error) }
        return await waitUntilEnded()
    }

    nonisolated(nonsending) func waitUntilEnded() async -> Result<Close?, ConnectionError> {
        await wait { connection, waiter in
            if connection.hasEnded {
                waiter.resume(returning: ())
            } else {
                connection.makeWaits().ended.append(waiter)
            }
        }
        return .success(await onLoop { $0.session.receivedClose })
    }

    /// Begins the closing handshake, unless it has begun. On the loop's thread.
    @discardableResult
    package func sendClose(_ close: Close) -> Result<Void, ConnectionError> {
        if isDone { return .success(()) }
        if companion != nil { sendWaiting() }
        do throws(SendError) {
            let frame = try session.frameForClose(close, maskingKey: maskingKey)
            log(.fine, "\(stream.peer) sent close \(escaped("\(close)"))")
            stream.write(frame)
        } catch {
            return .failure(.notSendable(error))
        }
        if session.hasReceivedClose {
            end(.closed(session.receivedClose))
        } else if isRaw {
            // Whatever comes now is the handler's, so no answer can be waited for.
            end(.closed(nil))
        } else {
            awaitClose()
        }
        return .success(())
    }

    private func awaitClose() {
        enter(.awaitingClose)
        endPieces()
        handler.receiver.resume(returning: .success(nil))
        // Messages that the handler did not take no longer stop the parsing.
        if inbox.unparsed.isEmpty { stream.resumeReading() } else { parseUnparsed() }
    }

    func receivedClose(_ close: Close) {
        log(.fine, "\(stream.peer) received close \(escaped("\(close)"))")
        if session.hasSentClose { return end(.closed(close)) }
        if handler.isBusy || !inbox.isEmpty {
            enter(.answeringClose(.handler))
        } else {
            answerClose()
        }
    }

    /// The handler does nothing any more with what came before the peer's Close.
    func answerCloseIfDue() {
        if case .answeringClose(.handler) = phase { answerClose() }
    }

    /// Answers the peer's Close with what the hook returns, if there is one.
    func answerClose() {
        guard let received = session.receivedClose else { return }
        let ownHook = request.passiveClosingHandshake
        guard let hook = ownHook ?? endpoint.passiveClosingHandshake else {
            return finishClose(with: received)
        }
        let task = Task(executorPreference: loop) { [self] in
            do {
                noteActivity()
                let answer = try await hook(WebSocket(self), received)
                await onLoop { $0.finishClose(with: answer) }
            } catch {
                log(.debug, "no answer to the Close of \(stream.peer): \(escaped("\(error)"))")
                await onLoop { $0.endAtOnce() }
            }
        }
        enter(.answeringClose(.hook(task)))
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

    /// Ends the connection without a Close, behind what was sent, as far as the socket takes it.
    func endAtOnce() {
        stream.flush()
        end(.lost)
    }

    /// Ends the connection without waiting for anything.
    package func drop() {
        handler.task?.cancel()
        end(.lost, isDropped: true)
        stream.close()
    }
}

// MARK: - The end

extension Connection {
    /// Ends the connection, however that came about: closes TCP, and resumes all who wait. Later
    /// calls do nothing.
    ///
    /// - Parameter isDropped: whether this side ends it without a Close.
    func end(_ ending: ConnectionError, isDropped: Bool = false) {
        guard !hasEnded else { return }
        endpoint.counters?.closed(
            countedEnd(ending, isDropped: isDropped), after: loop.now - traffic.opened)
        if case .answeringClose(.hook(let task)) = phase { task.cancel() }
        logEnd(ending)
        inbox.unparsed = UnparsedBytes()
        session.dropUnfinished()
        finishUnfinished()
        enter(.ended(Phase.Ending(ending)))
        resumeWaiters(ending)
        endCompanion()
        switch ending {
        case .closed(let close):
            // §7.1.1: the server closes TCP first. §5.5.1, §5.5.2: nothing but a Pong
            // follows the peer's Close.
            stream.closeAfterSending(
                linger: settings.closeTimeout,
                peerIsFirst: endpoint.role == .client && close != nil,
                peerIsDone: close != nil && traffic.unansweredPingCount == 0)
        case .failed: stream.closeAfterSending(linger: settings.closeTimeout)
        default: stream.close()
        }
    }

    private func resumeWaiters(_ ending: ConnectionError) {
        handler.receiver.resume(returning: Self.received(at: ending))
        endPieces()
        guard let waits else { return }
        self.waits = nil
        if let timer = waits.messageBudget?.timer { loop.cancel(timer) }
        waits.rawBytes.resume(returning: Self.receivedRaw(at: ending))
        waits.sleepers.resumeAll(returning: .failure(ending))
        waits.drained.resumeAll(returning: ())
        for pong in waits.pongs { pong.waiter.resume(returning: .failure(ending)) }
        waits.ended.resumeAll(returning: ())
        if let incoming = waits.incoming { makeWaits().incoming = incoming }
    }

    /// Lets another connection take this one's place once TCP is closed and the handler has ended.
    func leaveIfDone() {
        if stream.isClosed && handler.task == nil { endpoint.onLeave(self) }
    }
}
