import EventLoop
import HTTPProtocol
import HTTPServer
import WebSocketConnection
import WebSocketProtocol

/// Answers requests for the paths of handlers: upgrades them to WebSocket connections, or refuses
/// with the reason. What is no handshake is for the handler's hook `http`, if it has one. One for
/// each loop.
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
        // A browser that asks for "/" gets the page, which shows the failure too; unless the
        // handler answers by itself.
        if request.path == "/" && !request.isUpgrade && !route.answersHTTP { return .pass }
        switch route.content {
        case .failure(let failure):
            let isForAuthor = ownHosts?.contain(request, exchange) ?? false
            return .response(route.brokenResponse(failure, isForAuthor: isForAuthor))
        case .handler(let handler):
            if let rest = route.leftOut(at: connections.loop.now) {
                return .response(route.trappingResponse(rest))
            }
            if !request.isUpgrade, let hook = handler.hooks.options.http {
                return answer(request, route, handler, hook, exchange)
            }
            return check(request, route, handler, exchange)
        }
    }

    /// Has the hook answer a request that is no handshake.
    ///
    /// A page of any origin can have a browser send most requests. The answer to one that only
    /// reads is kept from such a page (CORS); any other request must not have an effect.
    private func answer(
        _ request: Request, _ route: Route, _ handler: WebSocketHandler,
        _ hook: @escaping WebSocketHandler.HTTP, _ exchange: Exchange
    ) -> Reply {
        if !request.isReading, let origin = refusedOrigin(of: request, handler) {
            exchange.log.peerEvent(
                .refusedOrigin, .warning,
                "\(escaped(route.path)) \(exchange.address(of: request)): "
                    + "\(escaped(request.head.method, limit: 20)) from "
                    + "origin \(escaped(origin)), which is not allowed (--origin)")
            return .response(Response(.forbidden, text: "Origin not allowed."))
        }
        do throws(RequestBodyError) {
            return .answering(
                try HTTPAnswer(
                    exchange, request, on: connections, route: route, hook,
                    maxBodySize: handler.hooks.options.maxBodySize))
        } catch {
            return .response(Response(error.status, text: "\(error)"))
        }
    }

    /// `nil`: the request may come from where it comes from.
    private func refusedOrigin(of request: Request, _ handler: WebSocketHandler) -> String? {
        guard let origin = request.head.fields["Origin"] else { return nil }
        return allowedOrigins(handler).admits(origin, authority: request.authority) ? nil : origin
    }

    private func allowedOrigins(_ handler: WebSocketHandler) -> AllowedOrigins {
        handler.hooks.options.allowedOrigins ?? connections.configuration.allowedOrigins
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
        guard allowedOrigins(handler).admits(client.origin, authority: request.authority) else {
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
