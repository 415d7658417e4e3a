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
        // A Pong would wait behind what the handler does not take.
        if inbox.isFull { return watchProgress() }
        writeControl(.ping, Self.keepAlivePayload)
        enter(.open(.pong(sentAt: loop.now)))
    }

    /// A Ping of ours would disturb what the handler does with the bytes, so silence has to be
    /// enough.
    func checkRawSilence() {
        let due = traffic.lastReceived + settings.pingInterval + settings.pingTimeout
        if due > loop.now { return loop.schedule(timer, at: due) }
        end(.pingTimedOut)
    }

    func checkPong(_ sentAt: MonotonicTime) {
        if traffic.lastReceived > sentAt || inbox.isFull { return watchForSilence() }
        pingTimedOut()
    }

    private func pingTimedOut() {
        log.peerEvent(.pingTimeout, .info, "ping time-out \(endpoint.name) \(stream.peer)")
        end(.pingTimedOut)
    }

    /// The peer is not to blame for a handler that does not receive, unless that waits for the
    /// peer, which reads nothing.
    private func watchProgress() {
        guard stream.queuedByteCount > 0 else { return watchForSilence() }
        enter(.open(.progress(sentByteCount: stream.sentByteCount)))
    }

    func checkProgress(since sentByteCount: Int) {
        guard stream.queuedByteCount > 0, stream.sentByteCount == sentByteCount else {
            return watchForSilence()
        }
        pingTimedOut()
    }

    /// Anything the peer sends shows that it lives; the payload is for people who read dumps.
    private static let keepAlivePayload = Array("keep-alive".utf8)
}
