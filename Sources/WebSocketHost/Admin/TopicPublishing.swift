import EventLoop
import HTTPProtocol
import HTTPServer
import Topics
import WebSocketProtocol

/// The answer to one request to publish: reads the body, then publishes it.
///
/// Belongs to its loop's thread.
final class TopicPublishing: OngoingAnswer {
    /// `nil` once it is answered, or cannot be any more.
    private weak var exchange: Exchange?
    private let request: Request
    private let topics: TopicBroker
    private let name: String
    private let body: ArrivingBody

    /// What a client has for the body.
    static let bodyTimeout: Duration = .seconds(30)

    /// - Throws: if the announced body is longer than a message may be.
    init(
        _ exchange: Exchange, _ request: Request, _ topics: TopicBroker, _ name: String
    ) throws(RequestBodyError) {
        body = try ArrivingBody(
            request.head.bodyFraming, byteLimit: topics.settings.messageByteLimit,
            timeout: Self.bodyTimeout, on: exchange.loop)
        self.exchange = exchange
        self.request = request
        self.topics = topics
        self.name = name
        body.onTimeout = { [weak self] in self?.fail(ArrivingBody.late) }
    }

    var needsClientEnd: Bool { false }

    func begin() {
        exchange?.continueIfExpected(request)
        bytesArrived()
    }

    /// What follows the body is the next request.
    func bytesArrived() {
        guard let exchange else { return }
        switch body.take(from: exchange) {
        case .incomplete: break
        case .complete: publish()
        case .refused(let response): fail(response)
        case .noRoom: fail(.busy)
        }
    }

    private func publish() {
        guard let message else {
            return answer(
                Response(
                    .badRequest,
                    text: "Nothing was published: the message is not UTF-8; bytes need "
                        + "Content-Type: application/octet-stream."), to: request)
        }
        answer(Response(topics.publish(message, to: name)), to: request)
    }

    /// `nil`: it should be text, and is not.
    private var message: Message? {
        let type = request.head.fields["Content-Type"]?.prefix { $0 != ";" && $0 != " " }
        if type?.lowercased() == "application/octet-stream" { return .binary(body.content) }
        return String(validating: body.content, as: UTF8.self).map { .text($0) }
    }

    /// The rest of the body is not looked for.
    private func fail(_ response: Response) { answer(response, to: request.withoutBody) }

    private func answer(_ response: Response, to request: Request) {
        let exchange = finish()
        exchange?.respond(response, to: request)
    }

    private func finish() -> Exchange? {
        defer { exchange = nil }
        body.drop()
        return exchange
    }

    func clientEnded() { finish()?.close() }
    func drained() {}
    func abandon() { _ = finish() }

    /// The body is not complete.
    func ownerLeaves() { fail(AdminListener.leaving) }
}
