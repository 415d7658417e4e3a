import WebSocketHost

/// Accepts only pages of http://example.com; others, and clients that are not browsers, get 403.
///
/// `allowedOrigins: .list(["http://example.com"])` is shorter, but accepts
/// clients that send no Origin.
///
/// Try it: connect from the page at http://localhost:9998/ and see it fail.
public let handler = WebSocketHandler(
    doExtraHandshake: { request in
        guard request.origin == "http://example.com" else {
            throw HandshakeRejection(.forbidden, body: "Only for pages of http://example.com.")
        }
    },
    transferData: { socket in
        for try await message in socket { try await socket.send(message) }
    }
)
