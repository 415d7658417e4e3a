import EventLoop
import Synchronization
import WebSocketProtocol

/// A connection after its handshake: joins the stream, the session and the handler's task.
///
/// The stream's bytes go through the session; messages go to the task that waits in `receive`, or
/// into the inbox, and reading stops while that is full. Control frames are answered here, whatever
/// the handler does. ConnectionReceiving, ConnectionSending and ConnectionClosing hold one part
/// each.
///
/// `@unchecked Sendable`: everything mutable is touched on the loop's thread only; whoever calls
/// from elsewhere goes through ``onLoop(_:)``, ``Loop/isCurrent`` tells.
@usableFromInline
package final class Connection: @unchecked Sendable {
    // What each message needs comes first and lies together: with thousands of connections, the
    // processor has to fetch it from memory each time.

    let endpoint: Endpoint
    let stream: Stream
    let loop: Loop
    /// Whether the handler took a message and did not ask for the next one yet.
    @exclusivity(unchecked) var isHandlerBusy = false
    /// Bytes are the handler's as they come: see ConnectionRaw.
    @exclusivity(unchecked) var isRaw = false
    @exclusivity(unchecked) var isAnsweringClose = false
    /// Pings of ours without a Pong; one may come behind the peer's Close (RFC 6455 §5.5.2).
    @exclusivity(unchecked) var unansweredPingCount: Int32 = 0
    @exclusivity(unchecked) var lastReceived: MonotonicTime
    @exclusivity(unchecked) var receivedMessageCount = 0
    @exclusivity(unchecked) var sentMessageCount = 0
    @exclusivity(unchecked) private var endingBox: EndingBox?
    /// What most connections never have: see ConnectionRare.
    @exclusivity(unchecked) var rare: Rare?
    @exclusivity(unchecked) var session: Session
    /// The task that ``run(_:)`` runs in.
    @exclusivity(unchecked) var handlerTask: TaskIdentity?
    @exclusivity(unchecked) var receiver: Receiver?
    @exclusivity(unchecked) var inbox: Inbox

    // The rest.

    let id: UInt64
    let request: HandshakeRequest
    /// Bytes that were read but not looked at, because the inbox was full.
    @exclusivity(unchecked) var unparsed: [UInt8] = []
    @exclusivity(unchecked) var unparsedOffset = 0
    /// What was sent before the turn's end, by ``flushOverMark()`` or as loans, and in which turn.
    @exclusivity(unchecked) var sentInTurn = (turn: MonotonicTime(nanoseconds: 0), byteCount: 0)
    /// What the one timer waits for.
    enum TimerPurpose {
        case keepAlive
        case pong(sentAt: MonotonicTime)
        case progress(sentByteCount: Int)
        case closeGrace, closeAnswer, task
    }
    @exclusivity(unchecked) var timerPurpose = TimerPurpose.keepAlive
    let timer: EventLoop.Timer
    /// The handler's task; `nil` once the handler has ended. A client's connection has none.
    @exclusivity(unchecked) package var task: Task<Void, Never>?
    /// For the log.
    let opened: MonotonicTime
    /// Its place among the owner's connections.
    @exclusivity(unchecked) package var rosterIndex = -1

    var log: Log { endpoint.log }
    var settings: ConnectionSettings { endpoint.settings }
    /// How the connection ended, once it has; `receive` tells it when the inbox is empty.
    var ending: ConnectionError? {
        get { endingBox?.ending }
        set { endingBox = newValue.map { EndingBox($0) } }
    }
    var hasEnded: Bool { endingBox != nil }
    /// Our Close went out, or the connection ended: data is neither sent nor delivered any more.
    package var isDone: Bool { session.hasSentClose || hasEnded }

    typealias Received = Result<Message?, ConnectionError>

    /// Tells waits apart: a cancellation may come when its own wait is over and another has begun.
    /// From any thread.
    func nextWaitNumber() -> Int { lastWaitNumber.add(1, ordering: .relaxed).newValue }
    private let lastWaitNumber = Atomic<Int>(0)

    /// An error is longer than a reference, and an open connection has none.
    private final class EndingBox {
        let ending: ConnectionError
        init(_ ending: ConnectionError) { self.ending = ending }
    }

    struct Receiver {
        let number: Int
        let continuation: UnsafeContinuation<Received, Never>
        private let frame: UnsafeRawPointer?

        init(number: Int, continuation: UnsafeContinuation<Received, Never>) {
            self.number = number
            self.continuation = continuation
            frame = Prefetch.frame(of: Self.task(of: continuation))
        }

        /// Has the waiting task fetched, which is about to be resumed.
        func prefetch() { Prefetch.task(Self.task(of: continuation), frame: frame) }

        /// A continuation is its task's address.
        private static func task(of continuation: UnsafeContinuation<Received, Never>)
            -> UnsafeRawPointer
        {
            unsafeBitCast(continuation, to: UnsafeRawPointer.self)
        }
    }

    /// - Parameter timer: what was set for the handshake, to be used on.
    package init(
        id: UInt64, endpoint: Endpoint, request: HandshakeRequest, stream: Stream,
        timer: EventLoop.Timer = EventLoop.Timer()
    ) {
        self.id = id
        self.endpoint = endpoint
        loop = endpoint.loop
        self.stream = stream
        self.timer = timer
        opened = endpoint.loop.now
        lastReceived = endpoint.loop.now
        let settings = endpoint.settings
        inbox = Inbox(
            countLimit: settings.receiveQueueCountLimit, byteLimit: settings.receiveQueueByteLimit)
        session = Session(
            role: endpoint.role, messageByteLimit: settings.messageByteLimit,
            compression: request.compressionParameters.map {
                SessionCompression($0, pool: endpoint.compressionPool)
            })
        self.request = request
        timer.tell(self)
        if log.isEnabled(.fine) {
            session.frameObserver = { [log, peer = stream.peer] header in
                log(.fine, "\(peer) received \(header)")
            }
        }
    }

    /// Begins to use the stream, right after the handshake was answered.
    ///
    /// - Parameter firstBytes: what the peer sent behind its handshake already.
    package func start(firstBytes: [UInt8]) {
        logOpen()
        stream.delegate = self
        scheduleKeepAlive()
        unparsed = firstBytes
        if firstBytes.isEmpty { stream.resumeReading() } else { parseUnparsed() }
    }

    /// Runs `body` on the loop's thread: at once if the caller is there.
    nonisolated(nonsending) func onLoop<Result: Sendable>(
        _ body: @escaping @Sendable (Connection) -> Result
    ) async -> Result {
        if loop.isCurrent { return body(self) }
        return await withUnsafeContinuation { continuation in
            loop.submit { continuation.resume(returning: body(self)) }
        }
    }

    /// Waits for something that `start` arranges on the loop's thread; a cancellation of the task
    /// calls `cancel` there, which has to resume the continuation if that is still to be done.
    nonisolated(nonsending) func wait<Value: Sendable>(
        _ start: @escaping @Sendable (Connection, UnsafeContinuation<Value, Never>) -> Void,
        cancel: @escaping @Sendable (Connection) -> Void
    ) async -> Value {
        await withTaskCancellationHandler {
            await withUnsafeContinuation { continuation in
                if loop.isCurrent {
                    start(self, continuation)
                } else {
                    loop.submit { start(self, continuation) }
                    // A cancellation before that was too early to end this wait.
                    if Task.isCancelled { loop.submit { cancel(self) } }
                }
            }
        } onCancel: {
            loop.submit { cancel(self) }
        }
    }

    /// A client masks each frame with a key of its own (RFC 6455 §5.3); `nil`: a server does not.
    var maskingKey: UInt32? { endpoint.role == .client ? .random(in: .min ... .max) : nil }

    /// Bytes that wait to be sent. On the loop's thread.
    package var queuedByteCount: Int { stream.queuedByteCount }

    /// Gives idle zlib streams back; see ``Session/releaseIdleCompression()``.
    package func releaseIdleCompression() { session.releaseIdleCompression() }

    /// What the handler's hooks run as, for the warning about blocked threads.
    func noteActivity() { loop.note(activity: endpoint.activity) }
}

// MARK: - Time

extension Connection: TimerTarget {
    func scheduleKeepAlive() {
        guard settings.pingInterval > .zero else { return }
        timerPurpose = .keepAlive
        loop.schedule(timer, at: max(lastReceived, loop.now) + settings.pingInterval)
    }

    package func timerFired() {
        switch timerPurpose {
        case .keepAlive: keepAlive()
        case .pong(let sentAt): checkPong(sentAt)
        case .progress(let sentByteCount): checkProgress(since: sentByteCount)
        case .closeGrace: answerClose()
        case .closeAnswer: endWithoutAnswer()
        case .task: cancelTask()
        }
    }

    /// The timer is not moved by each message; it looks for the last one when it fires.
    private func keepAlive() {
        let due = lastReceived + settings.pingInterval
        if due > loop.now { return loop.schedule(timer, at: due) }
        if isRaw { return checkRawLife() }
        // A Pong would wait behind what the handler does not take.
        if inbox.isFull { return watchProgress() }
        writeControl(.ping, Self.keepAlivePayload)
        timerPurpose = .pong(sentAt: loop.now)
        loop.schedule(timer, after: settings.pingTimeout)
    }

    /// A Ping of ours would disturb what the handler does with the bytes, so silence has to tell.
    private func checkRawLife() {
        let due = lastReceived + settings.pingInterval + settings.pingTimeout
        if due > loop.now { return loop.schedule(timer, at: due) }
        end(.pingTimedOut)
    }

    private func checkPong(_ sentAt: MonotonicTime) {
        if lastReceived > sentAt || inbox.isFull { return scheduleKeepAlive() }
        pingTimedOut()
    }

    private func pingTimedOut() {
        log.peerEvent(.pingTimeout, .info, "ping time-out \(endpoint.name) \(stream.peer)")
        end(.pingTimedOut)
    }

    /// A peer is not to blame for a handler that does not receive, unless that waits for the peer,
    /// which reads nothing.
    private func watchProgress() {
        guard stream.queuedByteCount > 0 else { return scheduleKeepAlive() }
        timerPurpose = .progress(sentByteCount: stream.sentByteCount)
        loop.schedule(timer, after: settings.pingTimeout)
    }

    private func checkProgress(since sentByteCount: Int) {
        guard stream.queuedByteCount > 0, stream.sentByteCount == sentByteCount else {
            return scheduleKeepAlive()
        }
        pingTimedOut()
    }

    /// Anything the client sends shows that it lives; the payload is for people who read dumps.
    private static let keepAlivePayload = Array("keep-alive".utf8)

    private func cancelTask() {
        guard let task else { return }
        log(.debug, "cancelled: the handler of \(endpoint.name) went on after its connection ended")
        task.cancel()
        cancelReceiver(Self.handlerWait)
    }
}
