import WebSocketHost

/// Answers with the first subprotocol of the client's list, and says which.
public let handler = WebSocketHandler(
    doExtraHandshake: { request in request.subprotocol = request.offeredSubprotocols.first },
    transferData: { socket in try await socket.send(socket.subprotocol ?? "none") })
