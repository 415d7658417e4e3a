import EventLoop
import HTTPProtocol
import HTTPServer

/// Answers in a process that does not serve, for one that will.
final class StandInResponder: Responder {
    private let health: Health

    init(_ health: Health) { self.health = health }

    func respond(to request: inout Request, _ exchange: Exchange) -> Reply {
        let reason =
            switch health.readiness() {
            case .ready: "a server process has just begun"
            case .unready(let reason): reason
            }
        return .response(
            Response(
                .serviceUnavailable, text: "Ask again: \(reason). Nothing was done.",
                fields: ["Retry-After": "0"]))
    }
}

extension AdminListener {
    package static func standInResponders(
        _ health: Health, _ identity: ServerIdentity
    ) -> [any Responder] {
        let status = StatusResponder { then in
            then(
                ServerStatus(
                    version: identity.version, uptime: MonotonicTime.current() - identity.began,
                    readiness: health.readiness()))
        }
        return [HealthResponder(health), status, StandInResponder(health)]
    }
}
