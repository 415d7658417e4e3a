import WebSocketHost

/// Receives nothing, and stays.
public let handler = WebSocketHandler { socket in
    try await socket.sleep(for: .seconds(3_600))
}
