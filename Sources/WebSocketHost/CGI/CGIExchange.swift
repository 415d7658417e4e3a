import EventLoop
import HTTPProtocol
import Processes

/// One request on its way through a script: its body comes, the script runs, its answer goes.
///
/// Belongs to its loop's thread. It outlives its exchange until the script is gone.
final class CGIExchange: ChildProcessDelegate {
    /// `nil` once nothing more can be answered.
    private weak var exchange: Exchange?
    private let worker: Worker
    private let request: Exchange.PlainRequest
    private let environment: (Int) -> CGIEnvironment
    private let scriptName: String
    private var body: RequestBodyReader
    private var child: ChildProcess?
    private var parser: CGIResponseParser
    private var phase = Phase.body
    private var outputByteCount = 0
    private var complaintCount = 0
    private var isClosingAfter = false
    private lazy var timer = worker.loop.makeTimer { [weak self] in self?.wasSilent() }

    private enum Phase {
        case body, head
        case content(Framing)
        /// The answer is complete, or given up.
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

    /// Lines of its standard error that are logged of each run.
    private static let complaintLimit = 50

    /// Counted in with ``Site/beginScript()``, which is undone once the script is gone.
    ///
    /// - Parameter environment: made from the length of the body.
    init(
        _ exchange: Exchange, _ head: RequestHead, _ request: Exchange.PlainRequest,
        scriptName: String,
        environment: @escaping (_ bodyByteCount: Int) -> CGIEnvironment
    ) throws(RequestBodyError) {
        let settings = exchange.worker.site.cgi
        body = try RequestBodyReader(head.bodyFraming, byteLimit: settings.requestBodyByteLimit)
        parser = CGIResponseParser(byteLimit: settings.headByteLimit)
        worker = exchange.worker
        self.exchange = exchange
        self.request = request
        self.scriptName = scriptName
        self.environment = environment
    }

    private var settings: CGISettings { worker.site.cgi }
    private func waitAnew() { worker.loop.schedule(timer, after: settings.timeout) }

    /// Whether bytes that come are the request's body.
    var isReadingBody: Bool {
        if case .body = phase { true } else { false }
    }

    /// Takes the bytes that follow the head, or the last call's.
    ///
    /// - Returns: how many belong to the body. When it is complete, the script runs.
    func read(_ bytes: UnsafeRawBufferPointer) throws(RequestBodyError) -> Int {
        let count = try body.read(bytes)
        if !body.isComplete { if !timer.isScheduled { waitAnew() } } else { run() }
        return count
    }

    private func run() {
        phase = .head
        let content = body.content
        let environment = environment(content.count)
        let file = environment.script.file
        let folder = file.lastIndex(of: "/").map { String(file[..<$0]) } ?? ""
        let command = ChildProcess.Command(
            path: file, arguments: [file], environment: environment.variables,
            folder: folder.isEmpty ? "/" : folder)
        do throws(SystemError) {
            child = try ChildProcess(command, input: content, on: worker.loop, delegate: self)
            waitAnew()
        } catch {
            log(.error, "cannot be run: \(error)")
            fail(.internalServerError, "The script cannot be run.")
            worker.site.endScript()
        }
    }

    private func log(_ level: LogLevel, _ text: String) {
        worker.log(level, "\(escaped(scriptName)): \(text)")
    }
}

// MARK: - What the exchange tells

extension CGIExchange {
    /// The client has read what was queued.
    func drained() {
        guard let child else { return }
        if case .over = phase { return }
        waitAnew()
        child.resumeOutput()
    }

    /// The client is gone, or its body is of no use. Nothing more is answered.
    func abandon() {
        exchange = nil
        worker.loop.cancel(timer)
        if isReadingBody { worker.site.endScript() }
        phase = .over
        child?.kill()
    }

    private func wasSilent() {
        let wait = "within --cgi-timeout (\(settings.timeout.components.seconds) s)"
        switch phase {
        case .body:
            worker.site.endScript()
            fail(.requestTimeout, "The request's body did not come.")
        case .head:
            log(.warning, "killed: no answer \(wait)")
            fail(.gatewayTimeout, "The script did not answer in time.")
            child?.kill()
        case .content:
            log(.warning, "killed: no more output \(wait)")
            breakOff()
        case .over:
            log(.warning, "killed: it ended its output and did not end \(wait)")
            child?.kill()
        }
    }

    private func fail(_ status: Status, _ text: String) {
        let request = isReadingBody ? request.last : request
        take()?.respond(Response(status, text: text), request)
    }

    /// Its answer has begun and cannot be completed: the client has to see that.
    private func breakOff() {
        take()?.stream.close()
        child?.kill()
    }

    /// What was asked is answered; the script may go on for as long as the timer allows.
    private func take() -> Exchange? {
        defer { exchange = nil }
        phase = .over
        worker.loop.cancel(timer)
        exchange?.cgi = nil
        return exchange
    }
}

// MARK: - What the script tells

extension CGIExchange {
    func childWroteOutput(_ bytes: UnsafeRawBufferPointer) {
        waitAnew()
        outputByteCount += bytes.count
        guard outputByteCount <= settings.outputByteLimit else {
            log(.warning, "killed: more output than \(settings.outputByteLimit) bytes")
            if case .head = phase { fail(.badGateway, "The script's answer is too long.") }
            return breakOff()
        }
        switch phase {
        case .head: parse(bytes)
        case .content(let framing): send(bytes, framing)
        case .body, .over: break
        }
    }

    private func parse(_ bytes: UnsafeRawBufferPointer) {
        do throws(CGIResponseError) {
            guard let (response, byteCount) = try parser.parse(bytes) else { return }
            if case .localRedirect(let target) = response.kind {
                let exchange = take()
                child?.kill()
                exchange?.redirectLocally(to: target, request)
                return
            }
            begin(response)
            let rest = UnsafeRawBufferPointer(rebasing: bytes[byteCount...])
            if case .content(let framing) = phase { send(rest, framing) }
        } catch {
            log(.error, "its answer is of no use: \(error)")
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
            try? fields.append("Content-Length", "\(byteCount)")
            framing = .length(remaining: byteCount)
        } else if hasContent {
            framing = request.version < .http11 ? .untilEnd : .chunked
            if case .chunked = framing { try? fields.append("Transfer-Encoding", "chunked") }
        }
        var isLast = request.isLast
        if case .untilEnd = framing { isLast = true }
        isClosingAfter = exchange.writeHead(response.status, fields, isLast: isLast)
        phase = .content(hasContent ? framing : .none)
    }

    private func send(_ bytes: UnsafeRawBufferPointer, _ framing: Framing) {
        guard let exchange, !bytes.isEmpty else { return }
        switch framing {
        case .none: return
        case .length(let remaining):
            let count = min(remaining, bytes.count)
            exchange.stream.write(bytes.prefix(count))
            phase = .content(.length(remaining: remaining - count))
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
        worker.loop.cancel(timer)
        exchange.watchSending()
    }

    func childWroteErrors(_ bytes: UnsafeRawBufferPointer) {
        guard complaintCount < Self.complaintLimit else { return }
        let text = String(decoding: bytes, as: UTF8.self)
        for line in text.split(whereSeparator: \.isNewline).prefix(
            Self.complaintLimit - complaintCount)
        {
            complaintCount += 1
            let rest = complaintCount == Self.complaintLimit ? " (the rest is not logged)" : ""
            log(.warning, "says: \(escaped(String(line)))\(rest)")
        }
    }

    func childEndedOutput() {
        switch phase {
        case .head:
            log(.error, "it ended without the head of an answer")
            fail(.badGateway, "The script gave no answer.")
            waitAnew()
        case .content(.length(let remaining)) where remaining > 0:
            log(.error, "its answer is \(remaining) bytes shorter than it said")
            breakOff()
        case .content(let framing):
            let exchange = take()
            if case .chunked = framing { exchange?.stream.write(Array("0\r\n\r\n".utf8)) }
            waitAnew()
            exchange?.finishAnswer(isLast: isClosingAfter)
        case .body, .over: break
        }
    }

    func childEnded(_ status: Int32) {
        worker.loop.cancel(timer)
        if status != 0 { log(.info, "ended with \(ChildProcess.describe(status))") }
        child = nil
        worker.site.endScript()
    }
}
