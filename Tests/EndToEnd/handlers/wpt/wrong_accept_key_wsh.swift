import WebSocketHost

/// Writes a 101 of its own with a wrong key, and goes on as if that were right.
public let handler = WebSocketHandler(
    doExtraHandshake: { request in
        let answer = """
            HTTP/1.1 101 Switching Protocols\r
            Upgrade: websocket\r
            Connection: Upgrade\r
            Sec-WebSocket-Accept: bad\r
            \r

            """
        request.unsafeResponse = Array(answer.utf8)
    },
    transferData: { socket in for try await message in socket { try await socket.send(message) } })
