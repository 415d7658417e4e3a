import WebSocketHost

struct NoAnswer: Error {}

/// Drops TCP instead of answering the client's Close.
public let handler = WebSocketHandler(
    transferData: { socket in for try await message in socket { try await socket.send(message) } },
    passiveClosingHandshake: { _ in throw NoAnswer() })
