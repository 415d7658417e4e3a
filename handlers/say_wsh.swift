import WebSocketHost

/// Sends a greeting, then answers "You said …" to each message.
///
/// Try it: connect, and see the greeting; send something.
public let handler = WebSocketHandler { socket in
    try await socket.send("You are connected")
    for try await message in socket {
        switch message {
        case .text(let text): try await socket.send("You said \(text)")
        case .binary(let bytes): try await socket.send("You said \(bytes.count) bytes")
        }
    }
}
