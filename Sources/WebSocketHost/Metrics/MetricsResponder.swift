import EventLoop
import HTTPProtocol
import HTTPServer
import Metrics

/// `GET /metrics`: all that the server counts, as Prometheus text or, for who asks for that, as
/// OpenMetrics.
///
/// Belongs to the control loop's thread.
final class MetricsResponder: Responder {
    static let path = "/metrics"

    private let texts: MetricsTexts

    init(_ texts: MetricsTexts) { self.texts = texts }

    func respond(to request: inout Request, _ exchange: Exchange) -> Reply {
        guard request.path.isExactly(Self.path) else { return .pass }
        guard request.isReading else { return .response(.readOnly) }
        return .answering(MetricsAnswer(exchange, request, texts))
    }
}

/// The answer to one request for metrics, which waits for the text.
private final class MetricsAnswer: OngoingAnswer {
    /// `nil` once it is answered, or cannot be any more.
    private weak var exchange: Exchange?
    private let request: Request
    private let texts: MetricsTexts

    init(_ exchange: Exchange, _ request: Request, _ texts: MetricsTexts) {
        self.exchange = exchange
        self.request = request
        self.texts = texts
    }

    var needsClientEnd: Bool { false }

    func begin() {
        let accept = request.head.fields["Accept"]
        let format = MetricsFormat(accept: accept)
        texts.make(format) { [weak self] bytes in
            var response = Response(.ok, type: format.contentType, body: bytes)
            response.fields.add("Vary", "Accept")
            self?.answer(response)
        }
    }

    private func answer(_ response: Response) {
        let exchange = exchange
        self.exchange = nil
        exchange?.respond(response, to: request)
    }

    func bytesArrived() {}
    func clientEnded() { exchange?.close() }
    func drained() {}
    func abandon() { exchange = nil }

    /// Another process can answer it.
    func ownerLeaves() { answer(AdminListener.leaving) }
}
