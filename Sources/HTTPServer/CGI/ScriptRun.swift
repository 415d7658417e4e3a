import EventLoop
import HTTPProtocol
import Logging
import Processes

/// A script that answers one request: the body comes, the script runs, its answer goes. It takes
/// a place from others from its start on: a client that announces a body and sends none takes none.
///
/// | phase     | event                               | next      |
/// | --------- | ----------------------------------- | --------- |
/// | `body`    | the body is complete                | `head`    |
/// | `head`    | the head of the script's answer     | `content` |
/// | any       | the answer is complete, or given up | `over`    |
///
/// Belongs to its loop's thread. It outlives its exchange until the script has ended.
final class ScriptRun {
    /// `nil` once nothing more can be answered.
    private weak var exchange: Exchange?
    private let loop: Loop
    private let log: Log
    private let scripts: ScriptsResponder
    private let request: Request
    private let environment: CGIEnvironment
    private let body: ArrivingBody
    private var child: ChildProcess?
    private var parser: CGIResponseParser
    private var phase = Phase.body
    private var outputByteCount = 0
    /// What the answer began with, for the log.
    private var answerHead: (status: Status, byteCount: Int)?
    private var errorLines = ErrorLines(countLimit: ScriptRun.errorLineLimit)
    private lazy var timer = loop.makeTimer { [weak self] in self?.timedOut() }

    /// Lines of its standard error that are logged of each run.
    private static let errorLineLimit = 50

    private enum Phase {
        case body, head
        case content(Framing, isLast: Bool)
        case over
    }

    private enum Framing {
        /// None is sent: an answer to HEAD, or one that has no content.
        case none
        case length(remaining: Int)
        case chunked
        /// Up to the end of the connection: the client speaks HTTP/1.0.
        case untilEnd
    }

    init(
        _ exchange: Exchange, _ request: Request, _ scripts: ScriptsResponder,
        _ environment: CGIEnvironment
    ) throws(RequestBodyError) {
        body = try ArrivingBody(
            request.head.bodyFraming, byteLimit: scripts.settings.requestBodyByteLimit,
            timeout: scripts.settings.timeout, on: exchange.loop, held: scripts.waitingBodies)
        parser = CGIResponseParser(byteLimit: scripts.settings.headByteLimit)
        loop = exchange.loop
        log = exchange.log
        self.exchange = exchange
        self.request = request
        self.scripts = scripts
        self.environment = environment
        body.onTimeout = { [weak self] in self?.refuse(ArrivingBody.late) }
    }

    private var settings: CGISettings { scripts.settings }
    private func restartTimer() { loop.schedule(timer, after: settings.timeout) }

    private func report(_ level: LogLevel, _ text: String) {
        log(level, "\(escaped(environment.script.name)): \(text)")
    }

    private func reportError(_ line: String) { report(.warning, "stderr: \(escaped(line))") }

    private func run() {
        let content = body.content
        body.drop()
        phase = .head
        guard scripts.countIn(environment.script, log) else {
            return finish()?.respond(.busy, to: request) ?? ()
        }
        let file = environment.script.file
        let command = ChildProcess.Command(
            path: file, arguments: [file],
            environment: environment.variables(bodyByteCount: content.count),
            folder: ChildProcess.Command.folder(of: file))
        do throws(SystemError) {
            child = try ChildProcess(command, input: content, on: loop, delegate: self)
            restartTimer()
        } catch {
            report(.error, "cannot be run: \(error)")
            scripts.countOut()
            fail(.internalServerError, "The script cannot be run.")
        }
    }

    private func timedOut() {
        let wait = "within --cgi-timeout (\(settings.timeout.components.seconds) s)"
        switch phase {
        case .body: break  // it has a timer of its own
        case .head:
            report(.warning, "killed: no answer \(wait)")
            fail(.gatewayTimeout, "The script did not answer in time.")
            child?.kill()
        case .content:
            report(.warning, "killed: no more output \(wait)")
            breakOff()
        case .over:
            report(.warning, "killed: it ended its output and did not end \(wait)")
            child?.kill()
        }
    }

    private func fail(_ status: Status, _ text: String) {
        finish()?.respond(Response(status, text: text), to: request)
    }

    /// What is left of the body is not looked for.
    private func refuse(_ response: Response) {
        finish()?.respond(response, to: request.withoutBody)
    }

    /// The answer has begun and cannot be completed: the client has to see that.
    private func breakOff() {
        logAnswer()
        finish()?.close()
        child?.kill()
    }

    private func logAnswer() {
        guard let answerHead else { return }
        let byteCount = request.isHead ? 0 : outputByteCount - answerHead.byteCount
        exchange?.log(answerHead.status, request, byteCount: byteCount)
    }

    /// The request is answered, or will be by the caller; the script may go on for as long as the
    /// timer allows.
    private func finish() -> Exchange? {
        defer { exchange = nil }
        body.drop()
        phase = .over
        loop.cancel(timer)
        return exchange
    }
}

// MARK: - What the exchange reports

extension ScriptRun: OngoingAnswer {
    var needsClientEnd: Bool { false }

    func begin() {
        exchange?.continueIfExpected(request)
        bytesArrived()
    }

    /// What follows the body is the next request.
    func bytesArrived() {
        guard case .body = phase, let exchange else { return }
        switch body.take(from: exchange) {
        case .incomplete: break
        case .complete: run()
        case .refused(let response): refuse(response)
        case .noRoom:
            report(.warning, "503, --cgi-max-waiting-body-size bytes of bodies wait")
            refuse(.busy)
        }
    }

    /// A client that is gone looks like one that sends no more; as in nginx, it has to wait for a
    /// script to be answered.
    func clientEnded() { exchange?.close() }

    func drained() {
        guard let child else { return }
        if case .over = phase { return }
        restartTimer()
        child.resumeOutput()
    }

    func abandon() {
        _ = finish()
        child?.kill()
    }
}

// MARK: - What the script reports

extension ScriptRun: ChildProcessDelegate {
    func childWroteOutput(_ bytes: UnsafeRawBufferPointer) {
        restartTimer()
        outputByteCount += bytes.count
        guard outputByteCount <= settings.outputByteLimit else {
            report(.warning, "killed: more output than \(settings.outputByteLimit) bytes")
            if case .head = phase { fail(.badGateway, "The script's answer is too long.") }
            return breakOff()
        }
        switch phase {
        case .head: parse(bytes)
        case .content(let framing, let isLast): send(bytes, framing, isLast)
        case .body, .over: break
        }
    }

    private func parse(_ bytes: UnsafeRawBufferPointer) {
        do throws(CGIResponseError) {
            guard let (response, byteCount) = try parser.parse(bytes) else { return }
            if case .localRedirect(let target) = response.kind {
                let exchange = finish()
                child?.kill()
                if let exchange { scripts.redirect(request, to: target, exchange) }
                return
            }
            begin(response)
            let rest = UnsafeRawBufferPointer(rebasing: bytes[byteCount...])
            answerHead = (response.status, outputByteCount - rest.count)
            if case .content(let framing, let isLast) = phase { send(rest, framing, isLast) }
        } catch {
            report(.error, "its answer is not usable: \(error)")
            fail(.badGateway, "The script's answer is not usable.")
            child?.kill()
        }
    }

    private func begin(_ response: CGIResponse) {
        guard let exchange else { return }
        var fields = response.fields
        let hasContent =
            !request.isHead && response.status.code != 204 && response.status.code != 304
        var framing = Framing.none
        if let byteCount = response.contentLength, response.status.code != 204 {
            fields.add("Content-Length", "\(byteCount)")
            framing = .length(remaining: byteCount)
        } else if hasContent {
            framing = request.head.version < .http11 ? .untilEnd : .chunked
            if case .chunked = framing { fields.add("Transfer-Encoding", "chunked") }
        }
        var isLast = request.isLast
        if case .untilEnd = framing { isLast = true }
        isLast = exchange.writeHead(response.status, fields, isLast: isLast)
        phase = .content(hasContent ? framing : .none, isLast: isLast)
    }

    private func send(_ bytes: UnsafeRawBufferPointer, _ framing: Framing, _ isLast: Bool) {
        guard let exchange, !bytes.isEmpty else { return }
        switch framing {
        case .none: return
        case .length(let remaining):
            let count = min(remaining, bytes.count)
            exchange.stream.write(bytes.prefix(count))
            phase = .content(.length(remaining: remaining - count), isLast: isLast)
        case .chunked:
            // RFC 9112 §7.1: chunk = chunk-size CRLF chunk-data CRLF
            exchange.stream.write(Array("\(String(bytes.count, radix: 16))\r\n".utf8))
            exchange.stream.write(bytes[...])
            exchange.stream.write(Array("\r\n".utf8))
        case .untilEnd: exchange.stream.write(bytes[...])
        }
        guard exchange.stream.isOverDrainMark else { return }
        // The client's time is not the script's.
        child?.pauseOutput()
        loop.cancel(timer)
        exchange.watchSending()
    }

    func childWroteErrors(_ bytes: UnsafeRawBufferPointer) {
        for line in errorLines.take(bytes, at: loop.now) { reportError(line) }
    }

    func childEndedOutput() {
        switch phase {
        case .head:
            report(.error, "it ended without the head of an answer")
            fail(.badGateway, "The script gave no answer.")
            restartTimer()
        case .content(.length(let remaining), _) where remaining > 0:
            report(.error, "its answer is \(remaining) bytes shorter than its Content-Length")
            breakOff()
        case .content(let framing, let isLast):
            logAnswer()
            let exchange = finish()
            if case .chunked = framing { exchange?.stream.write(Array("0\r\n\r\n".utf8)) }
            restartTimer()
            exchange?.finishAnswer(isLast: isLast)
        case .body, .over: break
        }
    }

    func childEnded(_ status: Int32) {
        loop.cancel(timer)
        for line in errorLines.finish(at: loop.now) { reportError(line) }
        if status != 0 { report(.info, "ended with \(ExitStatus(waitStatus: status))") }
        child = nil
        scripts.countOut()
    }
}
