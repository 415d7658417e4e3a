import EventLoop
import Logging
import WebSocketProtocol

/// A connection after its handshake: joins the stream, the session and the handler's task.
///
/// The stream's bytes go through the session; messages go to the task that waits in `receive`, or
/// into the inbox, and reading stops while that is full. Control frames are answered here, whatever
/// the handler does. Its ``Phase`` is in Connection+Phase.swift, and each of its other subjects in
/// an extension of that name.
///
/// `@unchecked Sendable`: everything mutable is touched on the loop's thread only; whoever calls
/// from elsewhere goes through `onLoop` or `wait` of ``LoopBound``.
@usableFromInline
package final class Connection: @unchecked Sendable, LoopBound {
    // What each message needs comes first and lies together: with thousands of connections, the
    // processor has to fetch it from memory each time.

    package let endpoint: Endpoint
    let stream: Stream
    package let loop: Loop
    /// Changed by ``enter(_:)`` only.
    @exclusivity(unchecked) var phase = Phase.open(.silence)
    @exclusivity(unchecked) var traffic: Traffic
    @exclusivity(unchecked) var waits: Waits?
    @exclusivity(unchecked) var session: Session
    @exclusivity(unchecked) var handler = HandlerState()
    @exclusivity(unchecked) var inbox: Inbox
    /// What another module keeps for this connection; see ``ConnectionCompanions``.
    @exclusivity(unchecked) package var companion: AnyObject?

    // The rest.

    let id: UInt64
    let request: HandshakeRequest
    /// The only timer: the phase decides what ``timerFired()`` does.
    let timer: EventLoop.Timer
    /// Its place among the owner's connections.
    @exclusivity(unchecked) package var rosterIndex = -1

    /// What has gone over the connection.
    struct Traffic {
        var lastReceived: MonotonicTime
        var receivedMessageCount = 0
        var sentMessageCount = 0
        /// What was sent before the turn's end, by ``flushOverMark()`` or as loans, and in which
        /// turn.
        var sentInTurn = (turn: MonotonicTime(nanoseconds: 0), byteCount: UInt32(0))
        /// Pings of ours without a Pong; one may come behind the peer's Close (RFC 6455 §5.5.2).
        var unansweredPingCount: UInt32 = 0
        let opened: MonotonicTime

        init(opened: MonotonicTime) {
            lastReceived = opened
            self.opened = opened
        }
    }

    /// The handler's side.
    struct HandlerState {
        /// Whether it took a message and has not asked for the next one yet.
        var isBusy = false
        /// The task that ``run(_:)`` runs in.
        var taskIdentity: TaskIdentity?
        /// Waits for a message; in another task, maybe.
        var receiver: Waiter<Received>?
        /// Where that task lies.
        var waitingTask: WaitingTask?
        /// `nil` once the handler has ended. A client's connection has no such task.
        var task: Task<Void, Never>?
    }

    typealias Received = Result<Message?, ConnectionError>

    var log: Log { endpoint.log }
    var settings: ConnectionSettings { endpoint.settings }
    /// The handler's task, which ``run(_:)`` will be called in.
    package var task: Task<Void, Never>? {
        get { handler.task }
        set { handler.task = newValue }
    }
    /// Bytes that wait to be sent. On the loop's thread.
    package var queuedByteCount: Int { stream.queuedByteCount }
    /// A client masks each frame with a key of its own (RFC 6455 §5.3); `nil`: a server does not.
    var maskingKey: UInt32? { endpoint.role == .client ? .random(in: .min ... .max) : nil }

    /// - Parameter timer: the one that was set for the handshake, to be used again.
    package init(
        id: UInt64, endpoint: Endpoint, request: HandshakeRequest, stream: Stream,
        timer: EventLoop.Timer = EventLoop.Timer()
    ) {
        self.id = id
        self.endpoint = endpoint
        loop = endpoint.loop
        self.stream = stream
        self.timer = timer
        traffic = Traffic(opened: endpoint.loop.now)
        let settings = endpoint.settings
        inbox = Inbox(
            countLimit: settings.receiveQueueCountLimit, byteLimit: settings.receiveQueueByteLimit)
        session = Session(
            role: endpoint.role, messageByteLimit: settings.messageByteLimit,
            compression: request.compressionParameters.map {
                SessionCompression($0, pool: endpoint.compressionPool)
            })
        self.request = request
        timer.notify(self)
        if log.isEnabled(.fine) {
            session.frameObserver = { [log, peer = stream.peer] header in
                log(.fine, "\(peer) received \(header)")
            }
        }
        limitMessages(settings.messageRate)
    }

    /// Begins to use the stream, right after the handshake was answered.
    ///
    /// - Parameter firstBytes: what the peer sent behind its handshake already.
    package func start(firstBytes: [UInt8]) {
        logOpen()
        stream.restartCounts(receivedByteCount: firstBytes.count)
        stream.delegate = self
        watchForSilence()
        inbox.unparsed = UnparsedBytes(firstBytes)
        if firstBytes.isEmpty { stream.resumeReading() } else { parseUnparsed() }
    }

    /// The waits, for one more of them.
    func makeWaits() -> Waits {
        if let waits { return waits }
        let new = Waits()
        waits = new
        return new
    }

    /// Tells its stream from all others that are there.
    package var streamID: ObjectIdentifier { ObjectIdentifier(stream) }

    /// Gives idle zlib streams back; see ``Session/releaseIdleCompression()``.
    package func releaseIdleCompression() { session.releaseIdleCompression() }

    /// Notes what the handler's hooks run as, for the warning about blocked threads.
    func noteActivity() { loop.note(activity: endpoint.activity) }
}
