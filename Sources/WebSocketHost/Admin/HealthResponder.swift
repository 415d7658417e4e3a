import EventLoop
import HTTPProtocol
import HTTPServer

/// Answers probes of whoever runs the server.
///
/// | request      | 200                     | 503, with the reason                              |
/// | ------------ | ----------------------- | ------------------------------------------------- |
/// | `GET /live`  | every event loop turns  | a handler blocks one: a line for each             |
/// | `GET /ready` | clients may be sent     | before the handlers are made, at the end, or else |
final class HealthResponder: Responder {
    private let health: Health

    init(_ health: Health) { self.health = health }

    func respond(to request: inout Request, _ exchange: Exchange) -> Reply {
        let isLive = request.path.isExactly("/live")
        guard isLive || request.path.isExactly("/ready") else { return .pass }
        guard request.isReading else { return .response(.readOnly) }
        return .response(isLive ? Response(live: health) : Response(ready: health))
    }
}

/// Answers a load balancer's health check on the listeners of the public, before a password is
/// asked for: as `/ready`. Not to handshakes, which may be for a handler of the same path.
///
/// HAProxy's own check is `OPTIONS`, in HTTP/1.0 and without Host.
final class HealthPathResponder: Responder, Sendable {
    private let path: String
    private let health: Health

    init(_ path: String, _ health: Health) {
        self.path = path
        self.health = health
    }

    func respond(to request: inout Request, _ exchange: Exchange) -> Reply {
        guard request.path.isExactly(path), !request.isUpgrade else { return .pass }
        var response = Response(ready: health)
        if !request.isReading && request.head.method != "OPTIONS" {
            response = Response(
                .methodNotAllowed, text: "Only GET, HEAD and OPTIONS are allowed here.",
                fields: ["Allow": "GET, HEAD, OPTIONS"])
        }
        response.isLogged = false
        return .response(response)
    }
}

extension Response {
    init(live health: Health) {
        let blocked = health.blockedLoops()
        self.init(
            probed: blocked.isEmpty,
            blocked.isEmpty ? "live" : "not live: " + blocked.joined(separator: "\n"))
    }

    init(ready health: Health) {
        switch health.readiness() {
        case .ready: self.init(probed: true, "ready")
        case .unready(let reason): self.init(probed: false, "not ready: \(reason)")
        }
    }

    private init(probed isGood: Bool, _ text: String) {
        self.init(
            isGood ? .ok : .serviceUnavailable, text: text, fields: ["Cache-Control": "no-store"])
    }
}
