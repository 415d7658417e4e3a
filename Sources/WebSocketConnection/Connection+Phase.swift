import EventLoop
import WebSocketProtocol

// phase           what happens                                                next
// open            the peer's Close comes                                      answeringClose
//                 our Close is sent                                           awaitingClose
//                 the handler takes the bytes as they come                    raw
//                 TCP ends, and the handler takes nothing of what came
//                 before; the peer breaks the protocol or answers no Ping     ended
// answeringClose  the answer is sent; the hook throws or takes too long;
//                 TCP ends                                                    ended
// awaitingClose   the peer's Close comes, or does not within the timeout;
//                 TCP ends; the peer breaks the protocol                      ended
//                 the handler takes the bytes as they come                    raw
// raw             the handler returns or closes; TCP fails; nothing comes for
//                 too long, or after our Close the timeout is over            ended
// ended           (the connection stays until its descriptor is closed and its handler has ended)
//
// An answer that need not wait, neither for the handler nor for a hook, leads from open to ended.
// docs/CLOSING.md has what handlers and peers see of each way.

extension Connection {
    enum Phase {
        /// Messages come and go.
        case open(KeepAlive)
        /// The peer's Close has come, and is not answered yet.
        case answeringClose(Answer)
        /// Our Close was sent. The peer's is awaited; its messages are dropped.
        case awaitingClose
        /// For tests of clients: bytes are the handler's as they come; see Connection+Raw.swift.
        case raw(hasReachedEnd: Bool)
        case ended(Ending)

        /// What the timer waits for.
        enum KeepAlive {
            /// For a time without a byte from the peer.
            case silence
            /// For the answer to our Ping, or another sign of life.
            case pong(PongWait)
            /// For the handler to take what came before the peer's end of TCP, which is known
            /// although reading is paused.
            case lastBytes(progress: Int)
        }

        /// What the answer to the peer's Close waits for.
        enum Answer {
            /// The handler may be answering the messages that came before: it gets a moment, and
            /// the answer goes out as soon as it asks for the next message.
            case handler
            /// `passiveClosingHandshake`, in this task.
            case hook(Task<Void, Never>)
        }

        /// In memory of its own: an error is longer than a reference.
        final class Ending: Sendable {
            let error: ConnectionError
            init(_ error: ConnectionError) { self.error = error }
        }
    }

    /// How long the answer to a Close waits for a handler that works on a message before it.
    private static let handlerGrace: Duration = .seconds(1)

    /// Changes the phase, and sets the timer for it.
    func enter(_ next: Phase) {
        phase = next
        switch next {
        case .open(.silence):
            let interval = settings.pingInterval
            loop.schedule(timer, at: max(traffic.lastReceived, loop.now) + interval)
        case .open(.pong(let wait)):
            loop.schedule(timer, after: wait.delay(settings.pingTimeout, from: loop.now))
        case .open(.lastBytes): loop.schedule(timer, after: settings.closeTimeout)
        case .answeringClose(.handler):
            loop.schedule(timer, after: min(Self.handlerGrace, settings.closeTimeout))
        case .answeringClose(.hook), .awaitingClose:
            loop.schedule(timer, after: settings.closeTimeout)
        case .raw: break  // as it was set
        case .ended:
            if handler.task == nil {
                loop.cancel(timer)
            } else {
                loop.schedule(timer, after: settings.closeTimeout)
            }
        }
    }

    var isRaw: Bool { if case .raw = phase { true } else { false } }
    package var hasEnded: Bool { if case .ended = phase { true } else { false } }
    /// How the connection ended; `receive` reports it when the inbox is empty.
    var ending: ConnectionError? {
        if case .ended(let ending) = phase { ending.error } else { nil }
    }
    /// Our Close was sent, or the connection ended: data is neither sent nor delivered any more.
    package var isDone: Bool { session.hasSentClose || hasEnded }
}

extension Connection: TimerTarget {
    package func timerFired() {
        switch phase {
        case .open(.silence): silenceIsDue()
        case .open(.pong(let wait)): checkPong(wait)
        case .open(.lastBytes(let progress)): checkLastBytes(since: progress)
        case .answeringClose(.handler): answerClose()
        case .answeringClose(.hook), .awaitingClose: endWithoutAnswer()
        case .raw: if session.hasSentClose { endWithoutAnswer() } else { checkRawSilence() }
        case .ended: cancelTask()
        }
    }
}
