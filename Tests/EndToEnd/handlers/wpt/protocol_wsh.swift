import WebSocketHost

/// Answers with the subprotocol that `?answer=` names, offered or not; without it with none. Says
/// which.
public let handler = WebSocketHandler(
    doExtraHandshake: { request in request.unsafeSubprotocol = request.query["answer"] },
    transferData: { socket in
        try await socket.send(socket.request.unsafeSubprotocol ?? "none")
    })
