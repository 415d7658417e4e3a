import WebSocketHost

/// Adds a Strict-Transport-Security field to the handshake's answer, then sends "Hello".
///
/// Try it: connect. Browsers heed the field over wss:// only.
public let handler = WebSocketHandler(
    doExtraHandshake: { request in
        try request.responseFields.append("Strict-Transport-Security", "max-age=86400")
    },
    transferData: { socket in try await socket.send("Hello") }
)
