import EventLoop
import WebSocketProtocol

/// A module that sends messages of its own on open connections, beside their handlers.
///
/// What it keeps for a connection is the connection's `companion`; one that has none costs nothing.
/// What it sends and what the handler sends share one order: whatever the companion keeps back goes
/// out before the handler's next frame. All calls come on the loop's thread.
package protocol ConnectionCompanions: AnyObject {
    /// The handler, or the connection itself, is about to write: what waits goes first.
    func sendWaiting(on connection: Connection)
    /// The connection can take more: its queue has fallen to its mark, or a message that the
    /// handler sent in pieces has come to its end.
    func pause(of connection: Connection)
    /// The connection has ended; nothing can be sent any more. The companion is dropped, now or
    /// once the call is over because of which the connection ended.
    func end(of connection: Connection)
}

// MARK: - What the connection tells

extension Connection {
    @inline(never)
    func sendWaiting() { endpoint.companions?.sendWaiting(on: self) }

    func endCompanion() {
        if companion != nil { endpoint.companions?.end(of: self) }
    }
}

// MARK: - What the companion asks and does

extension Connection {
    /// Whether messages can still be sent: until our own Close (RFC 6455 §5.5.1).
    package var takesMessages: Bool { !isDone && !isRaw }

    /// What was agreed on for compression; `nil`: nothing is compressed.
    package var compressionParameters: DeflateParameters? { request.compressionParameters }

    /// Why nothing can be sent any more.
    package var reasonForEnd: ConnectionError { ending ?? .closed(session.receivedClose) }

    /// Whether the handler has begun a message that is not complete: no other may come between.
    package var isInsideSentMessage: Bool { session.sendingKind != nil }

    /// Whether what is sent now would wait, in the queue, behind more than its mark.
    package var isOverDrainMark: Bool { stream.isOverDrainMark }

    /// Asks for one call of ``ConnectionCompanions/pause(of:)``, once the queue has fallen to its
    /// mark.
    package func askForPause() { stream.needsDrainNotice = true }

    /// Sends frames of whole messages that are serialised already. They are not masked, so this is
    /// for servers.
    ///
    /// - Parameters:
    ///   - messageCount: how many messages they are.
    ///   - byteCount: of these messages, without frames and compression.
    package func send(
        _ frames: SharedBytes, _ range: Range<Int>, messageCount: Int, byteCount: Int,
        isUrgent: Bool
    ) {
        countSent(messageCount, byteCount: byteCount)
        stream.send(frames, range, isUrgent: isUrgent)
        // As after a handler's message: the queue is not full before the socket was asked.
        if stream.isOverDrainMark { stream.flush() }
    }

    /// Begins to close because the peer reads too slowly, and logs that.
    ///
    /// - Parameter reason: why, for the Close and for the log.
    package func closeAsTooSlow(reason: String) {
        guard !isDone else { return }
        log.peerEvent(.slowSubscriber, .info, "closed \(endpoint.name) \(stream.peer): \(reason)")
        sendClose(Close(.tryAgainLater, reason: reason))
    }

    /// Sends a message as the handler would, compressed by the connection's own context.
    ///
    /// - Returns: false if nothing was queued: the queue is at its limit, or the connection has
    ///   ended.
    package func sendByItself(_ message: Message) -> Bool {
        switch try? write(message, compress: true) {
        case .queued, .queuedOverMark: true
        case .notInTurn, nil: false
        }
    }
}
