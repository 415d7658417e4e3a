import EventLoop
import HTTPProtocol
import Logging

/// A TCP connection that carries requests and answers, until it ends or a responder takes it over
/// for another protocol.
///
/// | phase        | event                                   | next                          |
/// | ------------ | --------------------------------------- | ----------------------------- |
/// | `connected`  | first bytes of a head                   | `readingHead`                 |
/// | `kept`       | first bytes of the next head            | `readingHead`                 |
/// | these three  | a whole head                            | `choosing`                    |
/// | `choosing`   | a responder takes its time              | `answering`                   |
/// | these two    | the answer is written and in the kernel | `kept`; after the last: `over` |
/// | these two    | the answer is written, much of it waits | `sending`                     |
/// | `sending`    | the client has read it                  | `kept`; after the last: `over` |
/// | `answering`  | the responder takes the stream over     | `over`                        |
/// | any          | a timer, an error, the client's end     | `over`                        |
///
/// Only ``enter(_:)`` changes the phase. A head that is not understood counts as a whole one, and
/// its answer is the last. Requests behind the one that is being answered wait in `pipelined`.
///
/// `@unchecked Sendable`: touched on its loop's thread only, where its answer's task runs too.
package final class Exchange: StreamDelegate, TimerTarget, RosterMember, @unchecked Sendable {
    enum Phase {
        /// Nothing came yet.
        case connected
        /// A part of a head came.
        case readingHead
        /// Responders are asked, or a password is being checked.
        case choosing
        /// A responder answers over several turns of the loop.
        case answering(any OngoingAnswer)
        /// The answer is written; the client has to read most of it before anything else happens.
        case sending(isLast: Bool)
        /// A request was answered, and nothing came after it.
        case kept
        /// Nothing is read or answered any more: closing, closed, or another protocol's.
        case over
    }

    /// What the one timer waits for.
    enum TimerPurpose {
        case head
        /// The client reads on: more is sent than then.
        case sending(sentByteCount: Int)
    }

    package let owner: Exchanges
    package let stream: Stream
    /// What ``ListeningSocket/addressOfAccepted`` says; `nil`: the kernel is asked.
    private let knownLocalAddress: SocketAddress?
    /// The client's user, where that is known before the first request.
    let user: String?
    /// For the head, and for the client to read the answer. An upgraded connection uses it on.
    let timer = EventLoop.Timer()
    @exclusivity(unchecked) private var timerPurpose = TimerPurpose.head
    @exclusivity(unchecked) private(set) var phase = Phase.connected
    @exclusivity(unchecked) var parser: RequestHeadParser
    @exclusivity(unchecked) var pipelined = PipelinedBytes()
    /// ``parsePipelined()`` runs, further up.
    @exclusivity(unchecked) var isParsing = false
    /// The client sends no more.
    @exclusivity(unchecked) private(set) var hasReachedEnd = false
    /// Its place in ``Exchanges``.
    @exclusivity(unchecked) package var rosterIndex = -1

    init(
        _ stream: Stream, owner: Exchanges, user: String? = nil, localAddress: SocketAddress? = nil
    ) {
        self.stream = stream
        self.owner = owner
        self.user = user
        knownLocalAddress = localAddress
        parser = RequestHeadParser(limits: owner.settings.headLimits)
    }

    func start() {
        stream.delegate = self
        timer.notify(self)
        waitForHead()
    }

    package var loop: Loop { owner.loop }
    package var log: Log { owner.log }
    package var localAddress: SocketAddress? { knownLocalAddress ?? stream.localAddress }

    /// Follows the table above.
    func enter(_ next: Phase) { phase = next }

    /// Whether the next request may be looked at.
    var mayParse: Bool {
        switch phase {
        case .connected, .readingHead, .kept: !stream.isOverDrainMark
        case .choosing, .answering, .sending, .over: false
        }
    }

    var answer: (any OngoingAnswer)? {
        if case .answering(let answer) = phase { answer } else { nil }
    }
}

// MARK: - Time

extension Exchange {
    func waitForHead() {
        timerPurpose = .head
        loop.schedule(timer, after: owner.settings.headTimeout)
    }

    /// Closes the connection if the client reads nothing for as long as the send timeout.
    func watchSending() {
        timerPurpose = .sending(sentByteCount: stream.sentByteCount)
        stream.needsDrainNotice = true
        loop.schedule(timer, after: owner.settings.sendTimeout)
    }

    private func stopWatchingSending() {
        if case .sending = timerPurpose { loop.cancel(timer) }
    }

    package func timerFired() {
        switch timerPurpose {
        case .head:
            logSlowHead()
        case .sending(let sentByteCount):
            if stream.sentByteCount != sentByteCount { return watchSending() }
            log(.info, "no byte read within --send-timeout: \(stream.peer), closed")
        }
        stream.close()
    }

    private func logSlowHead() {
        if case .readingHead = phase {
            log.peerEvent(
                .slowHead, .info,
                "no whole request head within --handshake-timeout: \(stream.peer), closed")
        } else if stream.isShakingHands {
            log.peerEvent(
                .slowHead, .info,
                "no whole TLS handshake within --handshake-timeout: \(stream.peer), closed")
        }
    }
}

// MARK: - The stream's other calls

extension Exchange {
    package func streamReachedEnd() {
        if let answer { return answer.clientEnded() }
        // Half-closed: answers may still be read.
        hasReachedEnd = true
        endIfIdle()
    }

    /// Bytes that nobody takes stand before the client's end: requests behind the one that is
    /// answered. It is as gone as without them.
    package func streamEndIsKnown() { answer?.clientEnded() }

    package func streamDrained() {
        stopWatchingSending()
        switch phase {
        case .sending(let isLast): finishAnswer(isLast: isLast)
        case .answering(let answer): answer.drained()
        case .connected, .readingHead, .choosing, .kept, .over: parsePipelined()
        }
    }

    package func streamFailed(_ error: SystemError) {}

    package func streamFailed(_ error: TLSError) {
        log.peerEvent(.failedTLS, .info, "\(stream.peer): \(escaped("\(error)"))")
        if error == .notTLS {
            respond(
                Response(.badRequest, text: "This port speaks TLS: use wss:// or https://"),
                isLast: true)
        }
    }

    package func streamClosed() {
        loop.cancel(timer)
        let answer = answer
        enter(.over)
        answer?.abandon()
        owner.remove(self)
    }
}
