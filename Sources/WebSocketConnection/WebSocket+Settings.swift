import WebSocketProtocol

// The limits that handlers can read: what ConnectionSettings has, and nothing has to be added here.

extension WebSocket {
    /// The limits and waits of this connection, as its route or its client has them. Read-only:
    /// they are set before the connection opens.
    ///
    /// A message that is longer than ``ConnectionSettings/messageByteLimit`` closes the connection
    /// at the other end too, if that has the same limit: a handler can send in parts below it.
    public var settings: ConnectionSettings { connection.settings }
}

extension HandshakeRequest {
    /// The limits and waits that the connection will have, if it opens.
    public var settings: ConnectionSettings { endpoint.settings }
}
