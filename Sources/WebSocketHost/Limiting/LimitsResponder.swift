import HTTPServer

/// Refuses handshakes of clients that are over a limit of their address, before anything that costs
/// more is done for them. One for each loop.
final class LimitsResponder: Responder {
    private let limiter: ClientLimiter

    init(_ limiter: ClientLimiter) { self.limiter = limiter }

    func respond(to request: inout Request, _ exchange: Exchange) -> Reply {
        // Responders are asked again once a password has been checked.
        guard request.isUpgrade, !request.isCounted else { return .pass }
        request.isCounted = true
        return limiter.admitHandshake(request, exchange).map { .response($0) } ?? .pass
    }
}
