import EventLoop
import Logging
import WebSocketProtocol

extension Connection {
    /// Runs the handler to its end and closes accordingly. In the handler's task.
    ///
    /// - Returns: the task, if another handler may run in it: it was not cancelled, and no message
    ///   in pieces waits for it, as they do by its identity.
    nonisolated(nonsending) package func run(
        _ transferData: @Sendable (WebSocket) async throws -> Void
    ) async -> Task<Void, Never>? {
        noteActivity()
        handler.taskIdentity = .current
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
        let task = handler.task.take()
        handler.taskIdentity = nil
        if hasEnded { loop.cancel(timer) }
        leaveIfDone()
        return task?.isCancelled == false && !MessageInPieces.areAny ? task : nil
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
        } else if session.hasReceivedClose {
            answerCloseIfDue()
        } else {
            sendClose(Close(.normalClosure))
        }
    }

    @inline(never)
    private func handlerThrew(_ error: any Error) async {
        let isOwnEnd = (error as? ConnectionError)?.isEnd ?? false
        let hasEnded = await onLoop { $0.hasEnded || $0.session.hasReceivedClose }
        let named = (error as? any ClosingError)?.close
        if !(hasEnded && (isOwnEnd || error is CancellationError)) { logThrown(error, named) }
        if let named, case .success = await close(named) { return }
        _ = await close(Close(.internalError))
    }

    private func logThrown(_ error: any Error, _ close: Close?) {
        let text = escaped("\(error)", limit: 1_000)
        if let close, close.code != .internalError, close.isSendable {
            log.peerEvent(
                .failedConnection, .info, "failed \(endpoint.name) \(stream.peer): \(text)")
        } else {
            log(.error, "\(endpoint.name) \(stream.peer): the handler threw \(text)")
        }
    }

    /// Cancels the handler's task, some time after the end.
    func cancelTask() {
        guard let task = handler.task else { return }
        log(.debug, "cancelled: the handler of \(endpoint.name) went on after its connection ended")
        task.cancel()
    }
}
