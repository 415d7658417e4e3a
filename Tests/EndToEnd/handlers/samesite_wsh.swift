import WebSocketHost

/// An echo for pages of its own origin.
public let handler = WebSocketHandler(
    allowedOrigins: .same,
    transferData: { socket in for try await message in socket { try await socket.send(message) } })
