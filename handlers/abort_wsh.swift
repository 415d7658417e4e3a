import WebSocketHost

/// Drops TCP right after the handshake, without a Close frame.
///
/// Try it: connect. The page sees the connection open and end with 1006.
public let handler = WebSocketHandler { socket in
    await socket.abort()
}
