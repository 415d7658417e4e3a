import WebSocketHost

/// Tells who is connected, by Basic authentication.
public let handler = WebSocketHandler(
    doExtraHandshake: { request in
        try request.responseFields.append("X-User", request.user ?? "nobody")
    },
    transferData: { socket in for try await message in socket { try await socket.send(message) } })
