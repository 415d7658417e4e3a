import EventLoop
import HTTPProtocol
import HTTPServer
import WebSocketConnection
import WebSocketProtocol

/// Answers requests for the paths of handlers: upgrades them to WebSocket connections, or refuses
/// with the reason. One for each loop.
final class UpgradeResponder: Responder {
    private let connections: Connections

    /// Those that learn why a handler file was left out; `nil`: none.
    private let ownHosts: OwnHosts?

    init(_ connections: Connections, _ ownHosts: OwnHosts?) {
        self.connections = connections
        self.ownHosts = ownHosts
    }

    func respond(to request: inout Request, _ exchange: Exchange) -> Reply {
        guard let route = connections.routes.find(request.path) else { return .pass }
        // A browser that asks for "/" gets the page, which shows the failure too.
        if request.path == "/" && !request.isUpgrade { return .pass }
        switch route.content {
        case .failure(let failure):
            let isForAuthor = ownHosts?.contain(request, exchange) ?? false
            return .response(route.brokenResponse(failure, isForAuthor: isForAuthor))
        case .handler(let handler):
            if let rest = route.leftOut(at: connections.loop.now) {
                return .response(route.trappingResponse(rest))
            }
            return check(request, route, handler, exchange)
        }
    }

    private func check(
        _ request: Request, _ route: Route, _ handler: WebSocketHandler, _ exchange: Exchange
    ) -> Reply {
        let client: ClientHandshake
        do throws(HandshakeError) {
            client = try OpeningHandshake.check(request.head)
        } catch {
            var response = Response(error.status, text: "\(error)", fields: error.fields)
            response.refusal = HandshakeRefusal("\(error)")
            return .response(response)
        }
        let allowed =
            handler.hooks.options.allowedOrigins ?? connections.configuration.allowedOrigins
        guard allowed.admits(client.origin, authority: request.authority) else {
            var response = Response(.forbidden, text: "Origin not allowed.")
            response.refusal = HandshakeRefusal(
                "origin \(client.origin ?? "") is not allowed (--origin)", .refusedOrigin, .warning)
            return .response(response)
        }
        return .answering(
            Handshake(
                exchange, request, on: connections, route: route, handler: handler,
                client: client))
    }
}
