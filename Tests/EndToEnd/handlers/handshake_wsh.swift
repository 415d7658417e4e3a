import WebSocketHost

struct NoReason: Error {}

/// Answers the handshake as the query says; a connection that opens is told its subprotocol.
public let handler = WebSocketHandler(
    doExtraHandshake: { request in
        switch request.query["do"] {
        case "unauthorized": throw HandshakeRejection(.unauthorized, body: "Who are you?")
        case "redirect": throw try HandshakeRejection.redirect(to: "/echo")
        case "abort": throw HandshakeRejection.abort
        case "throw": throw NoReason()
        case "sleep":
            try await Task.sleep(for: .seconds(Double(request.query["seconds"] ?? "") ?? 0))
        case "field": try request.responseFields.append("X-Test", "yes")
        default: break
        }
        request.subprotocol = request.offeredSubprotocols.last
    },
    transferData: { socket in
        try await socket.send(socket.subprotocol ?? "none")
        for try await message in socket { try await socket.send(message) }
    })
