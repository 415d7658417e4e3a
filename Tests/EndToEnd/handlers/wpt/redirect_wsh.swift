import WebSocketHost

/// Sends the client to `?to=` with `?status=`.
public let handler = WebSocketHandler(
    doExtraHandshake: { request in
        let status = request.query["status"].flatMap { Int($0) }.flatMap { Status($0) } ?? .found
        throw try HandshakeRejection.redirect(to: request.query["to"] ?? "/", status)
    },
    transferData: { _ in })
