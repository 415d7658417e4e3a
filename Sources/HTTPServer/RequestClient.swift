import EventLoop

/// Who asks, where a trusted proxy says so in a request.
package final class RequestClient: Sendable {
    package let address: SocketAddress
    /// Whether the client's connection is encrypted; `nil`: the proxy does not say.
    package let isSecure: Bool?
    /// The server as the client named it; `nil`: the proxy does not say.
    package let authority: String?

    package init(address: SocketAddress, isSecure: Bool?, authority: String?) {
        self.address = address
        self.isSecure = isSecure
        self.authority = authority
    }
}

extension Exchange {
    /// The client of a request: the peer, unless a trusted proxy names another.
    package func address(of request: Request) -> SocketAddress {
        request.client?.address ?? stream.peer
    }

    /// Whether the client's connection is encrypted.
    package func isSecure(_ request: Request) -> Bool {
        request.client?.isSecure ?? (stream.tlsInfo != nil)
    }
}
