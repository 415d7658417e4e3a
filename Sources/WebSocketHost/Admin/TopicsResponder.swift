import EventLoop
import HTTPProtocol
import HTTPServer
import Topics

/// Publishes to topics, and lists them.
///
/// | request              | answer                                                              |
/// | -------------------- | ------------------------------------------------------------------- |
/// | `POST /topics/NAME`  | 202 and ``PublishCounts`` as JSON: the body was published, as text, |
/// |                      | or as binary with `Content-Type: application/octet-stream`          |
/// |                      | 400: no valid name, or text that is not UTF-8                       |
/// |                      | 413: longer than a message may be                                   |
/// | `GET /topics`        | 200 and a JSON list of those that have subscribers                  |
///
/// The name is all that follows `/topics/`, percent-decoded. The reason of a refusal is one line of
/// text.
final class TopicsResponder: Responder {
    let topics: TopicBroker

    init(_ topics: TopicBroker) { self.topics = topics }

    func respond(to request: inout Request, _ exchange: Exchange) -> Reply {
        let path = request.path
        if path.isExactly("/topics") { return list(request) }
        guard path.beginsExactly(with: "/topics/") else { return .pass }
        guard request.head.method == "POST" else {
            return .response(
                Response(
                    .methodNotAllowed, text: "Only POST is allowed here.",
                    fields: ["Allow": "POST"]))
        }
        let name = String(Substring(path.utf8.dropFirst("/topics/".utf8.count)))
        return publish(to: name, request, exchange)
    }

    private func publish(to name: String, _ request: Request, _ exchange: Exchange) -> Reply {
        do throws(RequestBodyError) {
            return .answering(try TopicPublishing(exchange, request.afterBody, topics, name))
        } catch {
            exchange.respond(
                Response(error.status, text: "\(error)"), to: request.withoutBody)
            return .later
        }
    }

    private func list(_ request: Request) -> Reply {
        guard request.isReading else { return .response(.readOnly) }
        return .response(TopicList.response(topics))
    }
}

extension Response {
    init(_ status: Status, json: String) {
        self.init(status, type: "application/json", body: Array((json + "\n").utf8))
    }

    /// What became of a publication.
    init(_ counts: PublishCounts) {
        switch counts.refusal {
        case .messageTooLong?:
            self.init(.contentTooLarge, text: Self.sentence(counts.refusal))
        case .some:
            self.init(.badRequest, text: Self.sentence(counts.refusal))
        case nil:
            self.init(
                .accepted,
                json: "{\"receivers\":\(counts.receivers),\"skipped\":\(counts.skipped),"
                    + "\"closed\":\(counts.closed)}")
        }
    }

    private static func sentence(_ error: TopicError?) -> String {
        error.map { "Nothing was published: \($0)." } ?? ""
    }
}
