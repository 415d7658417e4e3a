import WebSocketHost

/// Sends the bytes of each message as they are, without a frame around them.
public let handler = WebSocketHandler { socket in
    for try await case .binary(let bytes) in socket { try await socket.unsafeWrite(bytes) }
}
