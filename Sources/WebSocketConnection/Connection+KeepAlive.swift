import EventLoop
import Logging
import WebSocketProtocol

extension Connection {
    func watchForSilence() {
        if settings.pingInterval > .zero { enter(.open(.silence)) }
    }

    /// The timer is not moved by each message; it looks for the last one when it fires.
    func silenceIsDue() {
        let due = traffic.lastReceived + settings.pingInterval
        if due > loop.now { return loop.schedule(timer, at: due) }
        awaitSignOfLife()
    }

    /// Sends a Ping and waits for anything from the peer.
    private func awaitSignOfLife() {
        let isReadingPaused = stream.isReadingPaused
        let isOnItsWay = stream.outstandingByteCount > 0
        // What is unread now is no sign of life later.
        let signs = isOnItsWay || isReadingPaused ? stream.peerSigns : nil
        // Nor is it to blame that it does not read, while it waits to be read because of its rate.
        let isHandlerWaiting = stream.queuedByteCount > 0 && !isHeldForRate
        // More Pings for a peer that reads nothing, while its Pongs are not read, would be of no
        // use: what is on its way shows as well whether it is there.
        let sendsPing = !(isReadingPaused && isOnItsWay)
        if sendsPing { writeControl(.ping, Self.keepAlivePayload) }
        enter(
            .open(
                .pong(
                    PongWait(
                        at: loop.now, hasPing: sendsPing, isHandlerWaiting: isHandlerWaiting,
                        signs))))
    }

    /// A Ping of ours would disturb what the handler does with the bytes, so silence has to be
    /// enough.
    func checkRawSilence() {
        guard settings.pingInterval > .zero else { return }
        let due = traffic.lastReceived + settings.pingInterval + settings.pingTimeout
        if due > loop.now { return loop.schedule(timer, at: due) }
        end(.pingTimedOut)
    }

    func checkPong(_ wait: PongWait) {
        let isReadingPaused = stream.isReadingPaused
        if traffic.lastReceived > wait.sentAt { return watchForSilence() }
        // The handler receives again, and the peer has not been asked yet.
        if !isReadingPaused && !wait.hasPing { return awaitSignOfLife() }
        switch wait.look(
            stream.peerSigns, at: loop.now, timeout: settings.pingTimeout,
            isReadingPaused: isReadingPaused)
        {
        case .waitOn(let asks):
            if asks { writeControl(.ping, Self.keepAlivePayload) }
            enter(.open(.pong(wait)))
        case .isAlive: watchForSilence()
        case .isGone: pingTimedOut()
        }
    }

    private func pingTimedOut() {
        log.peerEvent(.pingTimeout, .info, "ping time-out \(endpoint.name) \(stream.peer)")
        end(.pingTimedOut)
    }

    /// Anything the peer sends shows that it lives; the payload is for people who read dumps.
    static let keepAlivePayload = Array("keep-alive".utf8)
}

// MARK: - The end behind what is not read

extension Connection {
    package func streamEndIsKnown() {
        guard case .open(let keepAlive) = phase else { return }
        if case .lastBytes = keepAlive { return }
        enter(.open(.lastBytes(progress: lastBytesProgress)))
    }

    /// The handler may take what came before the peer's end, a Close maybe. If it does not, the
    /// connection is lost.
    func checkLastBytes(since progress: Int) {
        let current = lastBytesProgress
        if current == progress { return end(.lost) }
        enter(.open(.lastBytes(progress: current)))
    }

    /// Rises while the handler takes messages, or the peer what is sent to it.
    private var lastBytesProgress: Int {
        traffic.receivedMessageCount &- inbox.count &+ stream.receivedByteCount
            &+ stream.sentByteCount
    }
}
