import WebSocketHost

/// An echo that takes 100 bytes at most.
public let handler = WebSocketHandler(
    maxMessageSize: 100,
    transferData: { socket in for try await message in socket { try await socket.send(message) } })
