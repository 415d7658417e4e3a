import ClientLimits
import EventLoop
import HTTPProtocol
import HTTPServer
import Proxies

/// Applies ``AddressLimits`` to the connections of one loop. Belongs to the loop's thread.
///
/// A connection counts for the client at its other end, from the moment at which that is known:
///
/// | who connects                     | who is counted, from when                               |
/// | -------------------------------- | ------------------------------------------------------- |
/// | anybody but a trusted proxy      | the peer, from the beginning, whatever it sends         |
/// | a proxy with a PROXY header      | the client that it names, from the header on            |
/// | a proxy that names it in fields  | that client, from its handshake on; not other requests, |
/// |                                  | for which the proxy's connection may be used by anybody |
/// | a proxy that names nobody        | nobody                                                  |
/// | a peer of a Unix-domain socket   | nobody, unless a proxy is trusted there                 |
///
/// Until the connection is closed and its handler has ended.
final class ClientLimiter {
    private let limits: AddressLimits
    private let trusted: TrustedProxies
    private let log: Log
    /// The connections that are counted, by their stream.
    private var counted: [ObjectIdentifier: ClientTable.OpenClient] = [:]

    /// Nobody knows when one of a client's connections will end; a program that asks again and
    /// again costs less this way.
    private static let connectionRetrySeconds = 10

    init(_ limits: AddressLimits, _ configuration: Configuration, log: Log) {
        self.limits = limits
        self.log = log
        trusted = configuration.proxies.trusted
    }

    /// Counts a connection that begins.
    ///
    /// - Returns: what it is answered instead of being served; `nil`: it may be.
    func begin(_ stream: Stream) -> Response? {
        guard let limit = limits.connectionLimit, !trusted.contain(stream.peer) else { return nil }
        guard let refusal = count(stream, for: stream.peer, limit) else { return nil }
        log.peerEvent(.limitedClient, .info, "refused \(stream.peer): \(refusal.reason)")
        return refusal.response
    }

    /// Counts a handshake, and for whom a proxy made it.
    ///
    /// - Returns: what it is answered; `nil`: it may go on.
    func admitHandshake(_ request: Request, _ exchange: Exchange) -> Response? {
        let stream = exchange.stream
        if request.client == nil && trusted.contain(stream.peer) { return nil }
        let address = exchange.address(of: request)
        if let rate = limits.handshakeRate, let refusal = admit(address, rate, exchange.loop.now) {
            return refusal.handshakeResponse
        }
        guard request.client != nil, let limit = limits.connectionLimit else { return nil }
        return count(stream, for: address, limit)?.handshakeResponse
    }

    /// A connection has ended.
    func end(_ stream: ObjectIdentifier) {
        if let client = counted.removeValue(forKey: stream) { limits.table.close(client) }
    }

    /// All are given up.
    func endAll() {
        for client in counted.values { limits.table.close(client) }
        counted = [:]
    }

    private func count(
        _ stream: Stream, for address: SocketAddress, _ limit: Int
    ) -> Refusal? {
        guard let client = ClientAddress(address) else { return nil }
        switch limits.table.open(client, limit: limit) {
        case .counted(let open):
            let id = ObjectIdentifier(stream)
            end(id)  // one client at a time
            counted[id] = open
        case .refused:
            return Refusal(
                reason: "it has \(limit) connections open (--max-connections-per-address)",
                text: "Your address has too many connections open "
                    + "(--max-connections-per-address).",
                retryAfter: Self.connectionRetrySeconds)
        case .notCounted: logNoRoom(address, "--max-connections-per-address")
        }
        return nil
    }

    private func admit(
        _ address: SocketAddress, _ rate: RateLimit, _ now: MonotonicTime
    ) -> Refusal? {
        guard let client = ClientAddress(address) else { return nil }
        switch limits.table.admitHandshake(of: client, rate, at: now) {
        case .admitted: break
        case .refused(let wait):
            return Refusal(
                reason: "too many handshakes of its address (--handshakes-per-minute)",
                text: "Your address makes too many handshakes (--handshakes-per-minute).",
                retryAfter: Int((wait.wholeNanoseconds + 999_999_999) / 1_000_000_000))
        case .notCounted: logNoRoom(address, "--handshakes-per-minute")
        }
        return nil
    }

    private func logNoRoom(_ address: SocketAddress, _ option: String) {
        log.peerEvent(
            .clientWithoutRoom, .warning,
            "\(address) is not limited: too many addresses are counted (\(option))")
    }
}

/// Why a client is refused for now.
private struct Refusal {
    /// For the log.
    let reason: String
    /// For the client.
    let text: String
    /// In seconds.
    let retryAfter: Int

    /// 429 (RFC 6585 §4).
    var response: Response {
        var response = Response(.tooManyRequests, text: text)
        response.fields.add("Retry-After", "\(retryAfter)")
        return response
    }

    var handshakeResponse: Response {
        var response = response
        response.refusal = HandshakeRefusal(reason, .limitedClient)
        return response
    }
}
