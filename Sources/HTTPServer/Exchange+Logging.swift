import EventLoop
import HTTPProtocol
import Logging

extension Exchange {
    /// Logs an answer to a request: a refused handshake, or what a page or file was answered with.
    func log(_ response: Response, to request: Request) {
        guard response.isLogged && owner.settings.logsAnswers else { return }
        guard request.isUpgrade else {
            return log(
                response.status, request, byteCount: request.isHead ? 0 : response.body.count)
        }
        let refusal = response.refusal ?? HandshakeRefusal(response.firstLine)
        logRefusal(refusal, of: request, response.status)
    }

    /// - Parameter status: `nil`: the connection is closed without an answer.
    package func logRefusal(_ refusal: HandshakeRefusal, of request: Request, _ status: Status?) {
        log.peerEvent(
            refusal.kind, refusal.level,
            line: RefusalLine(
                route: request.pathText, peer: address(of: request),
                status: status.map { Int($0.code) }, reason: escaped(refusal.reason, limit: 1_000)))
    }

    /// - Parameter byteCount: of the answer's content.
    func log(_ status: Status, _ request: Request, byteCount: Int) {
        log.request(
            AnswerLine(
                method: escaped(request.head.method, limit: 20), path: request.pathText,
                peer: address(of: request), status: Int(status.code), byteCount: byteCount))
    }
}

extension Response {
    /// Of its body, for the log.
    fileprivate var firstLine: String {
        let line = body.prefix { $0 != UInt8(ascii: "\n") }
        return line.isEmpty ? status.reasonPhrase : String(decoding: line, as: UTF8.self)
    }
}

extension Request {
    /// The path, or if it has no valid form the target, safe to print.
    fileprivate var pathText: String { escaped(path.isEmpty ? head.target : path) }
}
