import WebSocketHost

/// Drops TCP instead of answering the handshake.
///
/// Try it: connect. The page sees an error, and the connection never opens.
public let handler = WebSocketHandler(
    doExtraHandshake: { _ in throw HandshakeRejection.abort },
    transferData: { _ in }
)
