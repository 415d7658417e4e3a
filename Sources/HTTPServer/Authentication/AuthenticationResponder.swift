import EventLoop
import HTTPProtocol

/// Lets nobody past without a name and a password (RFC 7617). All that stand behind it in the list
/// see requests of users only.
package final class AuthenticationResponder: Responder, Sendable {
    private let authentication: BasicAuthentication

    package init(_ authentication: BasicAuthentication) { self.authentication = authentication }

    package func respond(to request: inout Request, _ exchange: Exchange) -> Reply {
        // Checked before, or known by other means.
        guard request.user == nil else { return .pass }
        switch authentication.opinion(request.head.fields) {
        case .known(.admitted(let user)):
            request.user = user
            return .pass
        case .known(.refused): return .response(.unauthorized)
        case .known(.busy): return .response(.busy)
        case .unknown(let candidate):
            return .answering(PasswordCheck(exchange, request, authentication, candidate))
        }
    }
}

extension Response {
    /// 401, by Basic authentication.
    static var unauthorized: Response {
        Response(
            .unauthorized, text: "A name and a password are needed (Basic).",
            fields: ["WWW-Authenticate": #"Basic realm="WebSocketHost", charset="UTF-8""#])
    }
}
