import EventLoop
import Glibc
import HTTPProtocol
import WebSocketProtocol

/// A TCP connection before it is a WebSocket: request heads come, answers go, until one is an
/// upgrade.
///
/// `@unchecked Sendable`: touched on its loop's thread only, where its task runs too.
final class Exchange: StreamDelegate, TimerTarget, RosterMember, @unchecked Sendable {
    let worker: Worker
    let stream: Stream
    /// What ``ListeningSocket/addressOfAccepted`` says; `nil`: the kernel is asked.
    let localAddress: SocketAddress?
    @exclusivity(unchecked) private var parser: RequestHeadParser
    let timer = EventLoop.Timer()
    /// What was received and not parsed: it came behind the head that is being answered.
    @exclusivity(unchecked) var pipelined: [UInt8] = []
    @exclusivity(unchecked) var pipelinedOffset = 0
    /// A hook that reads bytes itself: see ExchangeRaw.
    @exclusivity(unchecked) var rawReceiver: RawReceiver?
    @exclusivity(unchecked) var rawTimer: EventLoop.Timer?
    var rawReceiveCount = 0
    var hasRawEnd = false
    @exclusivity(unchecked) private var isParsing = false
    @exclusivity(unchecked) private var isAnswering = false
    /// The connection was kept after an answer.
    @exclusivity(unchecked) private var hasAnswered = false
    /// The answer is written but for what the client has to read first; whether it is the last one.
    @exclusivity(unchecked) private var unsentAnswerIsLast: Bool?
    /// When the timer was set for ``watchSending()``.
    @exclusivity(unchecked) private var watchedSentByteCount: Int?
    /// The client sends no more.
    @exclusivity(unchecked) private var hasReachedEnd = false
    /// Who asks, by Basic authentication.
    @exclusivity(unchecked) var user: String?
    /// The script that answers.
    @exclusivity(unchecked) var cgi: CGIExchange?
    /// How often a script led elsewhere, in one request.
    @exclusivity(unchecked) var redirectCount = 0
    /// A handshake that is for the task to answer: see ExchangeHandshake.
    @exclusivity(unchecked) var upgrade: Upgrade?
    @exclusivity(unchecked) var task: Task<Void, Never>?
    /// Its place among the worker's exchanges.
    @exclusivity(unchecked) var rosterIndex = -1

    /// Bytes taken behind a handshake that is still being answered: a client has to wait for the
    /// 101 (RFC 6455 §4.1), some send a first message at once.
    private static let pipelinedByteLimit = 65_536

    /// - Parameter localAddress: this end of the connection, where that is known.
    init(stream: Stream, worker: Worker, localAddress: SocketAddress? = nil) {
        self.stream = stream
        self.worker = worker
        self.localAddress = localAddress
        parser = RequestHeadParser(
            limits: RequestHeadLimits(
                headByteLimit: worker.configuration.headByteLimit,
                fieldCountLimit: worker.configuration.fieldCountLimit))
    }

    func start() {
        stream.delegate = self
        timer.notify(self)
        waitForHead()
    }

    private func waitForHead() {
        worker.loop.schedule(timer, after: worker.configuration.handshakeTimeout)
    }

    /// Whether the connection is encrypted.
    var isSecure: Bool { stream.tlsInfo != nil }

    /// The client kept us waiting.
    func timerFired() {
        if let before = watchedSentByteCount {
            if stream.sentByteCount != before { return watchSending() }
            worker.log(.info, "no byte read within --send-timeout: \(stream.peer), closed")
        }
        if parser.hasPartialHead {
            worker.log.peerEvent(
                .slowHead, .info,
                "no whole request head within --handshake-timeout: \(stream.peer), closed")
        } else if stream.isShakingHands {
            worker.log.peerEvent(
                .slowHead, .info,
                "no whole TLS handshake within --handshake-timeout: \(stream.peer), closed")
        }
        stream.close()
    }

    /// Closes a kept connection that waits for another request: that one goes to another process. A
    /// client that has not asked for anything yet is still answered.
    func closeIfKept() {
        guard hasAnswered && !isAnswering && !parser.hasPartialHead else { return }
        worker.loop.cancel(timer)
        stream.closeAfterSending(linger: worker.configuration.connection.closeTimeout)
    }

    /// Closes the connection if it is between two requests.
    func closeIfIdle() {
        if !isAnswering && !parser.hasPartialHead { stream.close() }
    }

    /// Gives the client up if it reads nothing for as long as ``Configuration/sendTimeout``.
    func watchSending() {
        watchedSentByteCount = stream.sentByteCount
        stream.needsDrainNotice = true
        worker.loop.schedule(timer, after: worker.configuration.sendTimeout)
    }

    private func stopWatchingSending() {
        guard watchedSentByteCount != nil else { return }
        watchedSentByteCount = nil
        worker.loop.cancel(timer)
    }

    func close() { stream.close() }
}

// MARK: - The stream's calls

extension Exchange {
    func streamReceived(_ bytes: UnsafeMutableRawBufferPointer) {
        if pipelined.isEmpty && mayParse {
            // Most heads come whole and alone: they are read where they lie.
            let parsed = parse(UnsafeRawBufferPointer(bytes))
            if parsed.byteCount < bytes.count {
                pipelined.append(contentsOf: bytes[parsed.byteCount...])
            }
            answer(parsed)
        } else {
            pipelined.append(contentsOf: bytes)
            if rawReceiver != nil { return passOnRaw() }
            readBody()
        }
        parsePipelined()
        // Requests behind the one that is answered wait in the kernel.
        if isAnswering && task == nil && pipelined.count - pipelinedOffset > Self.pipelinedByteLimit
        {
            stream.pauseReading()
        }
        // What comes in one go with the handshake may be more, and waits for the task to begin.
        let isHookRunning = task != nil && upgrade == nil
        if isHookRunning, pipelined.count - pipelinedOffset > Self.pipelinedByteLimit {
            dropFlood()
        }
    }

    /// To pause instead would be blind to the client's end, for as long as the handler's hook
    /// takes.
    private func dropFlood() {
        worker.log.peerEvent(
            .earlyData, .info,
            "more than \(Self.pipelinedByteLimit) bytes before the answer to the handshake: "
                + "\(stream.peer), closed")
        stream.close()
    }

    func streamReachedEnd() {
        if rawReceiveCount > 0 && task != nil { return endRaw() }
        // Half-closed: answers may still be read, a handshake's is of no use.
        // A client that is gone looks the same; as in nginx, it has to wait for a script to be
        // answered.
        if task != nil || cgi != nil { return stream.close() }
        hasReachedEnd = true
        endIfIdle()
    }

    private func endIfIdle() {
        guard hasReachedEnd, !isAnswering, !stream.isOverDrainMark else { return }
        stream.closeAfterSending(linger: worker.configuration.connection.closeTimeout)
    }

    func streamDrained() {
        stopWatchingSending()
        if let isLast = unsentAnswerIsLast {
            unsentAnswerIsLast = nil
            finishAnswer(isLast: isLast)
        } else if let cgi {
            cgi.drained()
        } else {
            parsePipelined()
        }
    }

    func streamFailed(_ error: SystemError) {}

    func streamFailed(_ error: TLSError) {
        worker.log.peerEvent(.failedTLS, .info, "\(stream.peer): \(escaped("\(error)"))")
        if error == .notTLS {
            respond(
                Response(.badRequest, text: "This port speaks TLS: use wss:// or https://"),
                isLast: true)
        }
    }

    func streamClosed() {
        worker.loop.cancel(timer)
        stopRawWaiting(.failure(.lost))
        task?.cancel()
        cgi?.abandon()
        cgi = nil
        worker.remove(self)
    }

    /// Answers request after request, until one takes longer, or the client does not read the
    /// answers.
    private func parsePipelined() {
        guard !isParsing else { return }
        isParsing = true
        defer { isParsing = false }
        while pipelinedOffset < pipelined.count && mayParse {
            let parsed = pipelined.withUnsafeBytes { bytes in
                parse(UnsafeRawBufferPointer(rebasing: bytes[pipelinedOffset...]))
            }
            pipelinedOffset += parsed.byteCount
            answer(parsed)
        }
        if pipelinedOffset == pipelined.count {
            (pipelined, pipelinedOffset) = ([], 0)
            stream.resumeReading()
            endIfIdle()
        } else if stream.isOverDrainMark {
            stream.needsDrainNotice = true
            stream.pauseReading()
        }
    }

    /// Whether the next request may be looked at.
    private var mayParse: Bool { !isAnswering && !stream.isOverDrainMark }

    /// What came of bytes, and how many of them are done with.
    private typealias Parsed = (result: Result<RequestHead, RequestError>?, byteCount: Int)

    private func parse(_ bytes: UnsafeRawBufferPointer) -> Parsed {
        do throws(RequestError) {
            switch try parser.parse(bytes) {
            case .incomplete: return (nil, bytes.count)
            case .complete(let head, let byteCount):
                return (head.lacksHost ? .failure(.missingHost) : .success(head), byteCount)
            }
        } catch {
            return (.failure(error), 0)
        }
    }

    private func answer(_ parsed: Parsed) {
        guard let result = parsed.result else { return }
        isAnswering = true
        switch result {
        case .success(let head):
            worker.loop.cancel(timer)
            redirectCount = 0
            authorize(head)
        case .failure(let error):
            worker.log.peerEvent(
                .badRequest, .info, "bad request from \(stream.peer): \(escaped("\(error)"))")
            respond(Response(error.status, text: "\(error)"), isLast: true)
        }
    }

    private func waitForNext() {
        hasAnswered = true
        isAnswering = false
        if hasReachedEnd && pipelined.isEmpty { return endIfIdle() }
        waitForHead()
        parsePipelined()
    }
}

// MARK: - Answers

extension Exchange {
    /// Answers a request of someone who is let in.
    func answerAdmitted(_ head: RequestHead) {
        let request = PlainRequest(head, isUpgrade: OpeningHandshake.isUpgrade(head))
        guard let target = RequestTarget(head.target), (target.fragment ?? "").isEmpty,
            let path = ResourcePath.percentDecoded(target.path)
        else {
            return respond(
                Response(.badRequest, text: "The request target is not usable."), request)
        }
        guard target.authority == nil || worker.configuration.admits(target) else {
            worker.log.peerEvent(
                .misdirectedRequest, .info,
                "\(stream.peer) wants \(escaped(target.authority ?? "")), which is not -V and -P")
            return respond(
                Response(.misdirectedRequest, text: "This server is another host or port."), request
            )
        }
        guard let route = worker.routes.find(path) else {
            return answerWithoutRoute(head, request, target, path)
        }
        switch route.content {
        case .failure(let reason):
            // A browser that asks for "/" gets the page, which shows the failure too.
            if !request.isUpgrade, path == "/" {
                return answerWithoutRoute(head, request, target, path)
            }
            respond(
                Response(.serviceUnavailable, text: "\(route.source) does not compile:\n\(reason)"),
                request)
        case .handler(let handler):
            if !request.isUpgrade && path == "/" {
                return answerWithoutRoute(head, request, target, path)
            }
            checkHandshake(head, request, target, path, route, handler)
        }
    }

    private func answerWithoutRoute(
        _ head: RequestHead, _ request: PlainRequest, _ target: RequestTarget, _ path: String
    ) {
        if answerFromScript(head, target, path) { return }
        if answerFromFiles(request, head, target, path) { return }
        respond(worker.pages.response(path: path, head: head), request)
    }

    func respond(_ response: Response, _ request: PlainRequest) {
        respond(response, isLast: request.isLast, isHead: request.isHead)
    }

    func respond(_ response: Response, isLast: Bool, isHead: Bool = false) {
        let isLast = isLast || worker.isLeaving
        stream.write(response.bytes(isHead: isHead, isLast: isLast, date: worker.dateText))
        finishAnswer(isLast: isLast)
    }

    /// Begins an answer whose body is not in memory.
    ///
    /// - Returns: whether the connection ends after it: it was the last, or this process leaves.
    func writeHead(_ status: Status, _ fields: Fields, isLast: Bool) -> Bool {
        let isLast = isLast || worker.isLeaving
        stream.write(HeadWriter.answer(status, fields, isLast: isLast, date: worker.dateText))
        return isLast
    }

    /// An answer is written: the next request comes, or the end. A long answer is read by the
    /// client first, for as long as it goes on reading.
    func finishAnswer(isLast: Bool) {
        if stream.isOverDrainMark {
            unsentAnswerIsLast = isLast
            watchSending()
        } else if isLast || worker.isLeaving {
            worker.loop.cancel(timer)
            stream.closeAfterSending(linger: worker.configuration.connection.closeTimeout)
        } else {
            waitForNext()
        }
    }
}
