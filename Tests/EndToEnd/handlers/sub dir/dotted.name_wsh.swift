import WebSocketHost

/// An echo with a path that must be percent-encoded.
public let handler = WebSocketHandler { socket in
    for try await message in socket { try await socket.send(message) }
}
