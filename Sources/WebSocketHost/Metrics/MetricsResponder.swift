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
        let format = MetricsFormat(accept: request.head.fields["Accept"])
        return .answering(
            GatheredAnswer(exchange, request) { [texts] then in
                texts.make(format) { bytes in
                    var response = Response(.ok, type: format.contentType, body: bytes)
                    response.fields.add("Vary", "Accept")
                    then(response)
                }
            })
    }
}
