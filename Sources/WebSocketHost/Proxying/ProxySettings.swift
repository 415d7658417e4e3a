import EventLoop
import HTTPServer
import Proxies
import WebSocketConnection

/// What a server behind proxies believes them about its clients.
public struct ProxySettings: Sendable {
    /// Whose word is taken; none by default: everybody is who connects.
    public var trusted = TrustedProxies()
    /// The fields in which trusted proxies say who asks.
    public var headers = ProxyHeaders.xForwarded
    /// Whether each connection begins with a header of the PROXY protocol, which only trusted
    /// proxies may send. Connections without one are closed.
    public var usesProxyProtocol = false

    public init() {}
}

extension Configuration {
    /// The proxy that a handshake comes from; `nil`: none, as far as this server knows.
    func proxy(of request: Request, _ exchange: Exchange) -> HandshakeProxy? {
        let mayHaveHeader = usesProxyProtocol
        guard request.client != nil || mayHaveHeader else { return nil }
        // A PROXY header has put the client in the peer's place.
        let address = mayHaveHeader ? exchange.stream.kernelPeer : exchange.stream.peer
        return address.map {
            HandshakeProxy(address: $0, isClientSecure: request.client?.isSecure)
        }
    }
}
