import EventLoop
import HTTPProtocol

/// Lets nobody past without a name and a password (RFC 7617). First in the list: before anything
/// else of a request is looked at.
package final class AuthenticationResponder: Responder, Sendable {
    private let authentication: BasicAuthentication

    package init(_ authentication: BasicAuthentication) { self.authentication = authentication }

    package func respond(to request: inout Request, _ exchange: Exchange) -> Reply {
        // Checked before, or known by other means.
        guard request.user == nil else { return .pass }
        let asked = request
        let verdict = authentication.check(asked.head.fields) { [self] verdict in
            exchange.loop.submit { self.goOn(asked, verdict, exchange) }
        }
        switch verdict {
        case .admitted(let user):
            request.user = user
            return .pass
        case .refused: return .response(refusal)
        case .busy: return .response(.busy)
        case nil: return .later
        }
    }

    private func goOn(
        _ request: Request, _ verdict: BasicAuthentication.Verdict, _ exchange: Exchange
    ) {
        guard !exchange.stream.isClosed else { return }
        switch verdict {
        case .admitted(let user):
            var request = request
            request.user = user
            exchange.choose(request)
        case .refused: exchange.respond(refusal, to: request)
        case .busy: exchange.respond(.busy, to: request)
        }
    }

    private var refusal: Response {
        Response(
            .unauthorized, text: "A name and a password are needed (Basic).",
            fields: ["WWW-Authenticate": #"Basic realm="WebSocketHost", charset="UTF-8""#])
    }
}
