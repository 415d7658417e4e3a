import WebSocketHost

/// Wants a user "foo" with the password "bar".
public let handler = WebSocketHandler(
    doExtraHandshake: { request in
        guard request.fields["Authorization"] == "Basic Zm9vOmJhcg==" else {
            throw HandshakeRejection(
                .unauthorized, fields: ["WWW-Authenticate": #"Basic realm="camelot""#])
        }
    },
    transferData: { socket in try await socket.send("welcome") })
