import EventLoop

/// What the owner of a server sees of a connection.
package struct ConnectionSummary: Sendable {
    package let number: UInt64
    /// Safe to print.
    package let route: String
    /// The client's, which is not the peer's behind a trusted proxy.
    package let address: SocketAddress
    package let user: String?
    package let age: Duration
    /// What came and went after the handshake.
    package let receivedMessageCount: Int
    package let receivedByteCount: Int
    package let sentMessageCount: Int
    /// Without those that wait.
    package let sentByteCount: Int
    /// What waits to be sent, in bytes.
    package let queuedByteCount: Int
    /// Whether a Close was sent, or TCP is closing.
    package let isClosing: Bool
}

// On the loop's thread.
extension Connection {
    /// That of ``WebSocket/id``.
    package var number: UInt64 { id }
    /// Safe to print.
    package var routeName: String { endpoint.name }
    package var clientAddress: SocketAddress { request.remoteAddress }

    package var summary: ConnectionSummary {
        ConnectionSummary(
            number: id, route: endpoint.name, address: request.remoteAddress, user: request.user,
            age: loop.now - traffic.opened, receivedMessageCount: traffic.receivedMessageCount,
            receivedByteCount: stream.receivedByteCount, sentMessageCount: traffic.sentMessageCount,
            sentByteCount: stream.sentByteCount, queuedByteCount: stream.queuedByteCount,
            isClosing: isDone)
    }
}
