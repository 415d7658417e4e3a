import WebSocketHost

let prefix = ""

/// Sends every message back.
public let handler = WebSocketHandler { socket in
    for try await message in socket { try await socket.send(message) }
}
