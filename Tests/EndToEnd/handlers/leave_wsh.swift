import WebSocketHost

/// Says goodbye and returns.
public let handler = WebSocketHandler { socket in try await socket.send("bye") }
