import WebSocketHost

/// An echo that clears the extensions, but for `?keep`.
public let handler = WebSocketHandler(
    doExtraHandshake: { request in request.allowsCompression = request.query.contains("keep") },
    transferData: { socket in for try await message in socket { try await socket.send(message) } })
