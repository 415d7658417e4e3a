import WebSocketHost

/// Appends a field for each `?NAME=VALUE`, in this order.
public let handler = WebSocketHandler(
    doExtraHandshake: { request in
        for item in request.query.items { try request.responseFields.append(item.name, item.value) }
    },
    transferData: { socket in while try await socket.receive() != nil {} })
