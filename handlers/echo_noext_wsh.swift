import WebSocketHost

/// `/echo` without extensions: whatever the client offers, none is accepted.
///
/// Try it: connect and look at the answer in the browser's network tools: there is no
/// Sec-WebSocket-Extensions in it.
public let handler = WebSocketHandler(compression: .off) { socket in
    for try await message in socket {
        try await socket.send(message)
        if message == .text("Goodbye") { return }
    }
}
