import EventLoop
import HTTPProtocol
import HTTPServer
import Proxies

/// Notes who the client of a request is, where a trusted proxy says so. The first responder, so
/// that all others, and the log, know it.
final class ClientResponder: Responder, Sendable {
    private let settings: ProxySettings

    /// - Returns: `nil` if no proxy is trusted: then no request pays for it.
    init?(_ settings: ProxySettings) {
        guard !settings.trusted.isEmpty else { return nil }
        self.settings = settings
    }

    func respond(to request: inout Request, _ exchange: Exchange) -> Reply {
        if let client = settings.trusted.client(
            of: request.head.fields, from: exchange.stream.peer, settings.headers)
        {
            request.client = RequestClient(
                address: client.address, isSecure: client.isSecure, authority: client.authority)
        }
        return .pass
    }
}
