import EventLoop
import HTTPProtocol
import Logging

/// Refuses requests whose target is not valid, or names another server than this one (RFC 9112
/// §3.2.2).
///
/// pywebsocket3 looks for a file instead, which ends in 404; 421 names what is wrong: "a
/// server that is unable or unwilling to produce an authoritative response for the target URI" (RFC
/// 9110 §15.5.20).
package final class TargetResponder: Responder, Sendable {
    private let host: String?
    private let port: UInt16?

    /// - Parameters:
    ///   - host: the name that a request line has to have, if it has one; `nil`: any.
    ///   - port: the port that it has to have, or has by its scheme; `nil`: any.
    package init(host: String?, port: UInt16?) {
        self.host = host?.lowercased()
        self.port = port
    }

    package func respond(to request: inout Request, _ exchange: Exchange) -> Reply {
        guard let target = request.target else {
            return .response(Response(.badRequest, text: "The request target is not valid."))
        }
        guard let authority = target.authority, !admits(target) else { return .pass }
        exchange.log.peerEvent(
            .misdirectedRequest, .info,
            "\(exchange.address(of: request)) wants \(escaped(authority)), which is not -V and -P")
        return .response(
            Response(.misdirectedRequest, text: "This server does not serve that host or port."))
    }

    private func admits(_ target: RequestTarget) -> Bool {
        guard let authority = target.authority.flatMap({ Authority($0) }) else { return true }
        // IPv6 addresses are meant with their brackets or without.
        if let host, authority.host != host, authority.host != "[\(host)]" { return false }
        guard let port else { return true }
        let isSecure = target.scheme == "wss" || target.scheme == "https"
        // RFC 6455 §3, RFC 9110 §4.2: the ports that stand for no port.
        return authority.port ?? (isSecure ? 443 : 80) == Int(port)
    }
}
