import WebSocketHost

/// Says who the client is, as the server knows it.
public let handler = WebSocketHandler { socket in
    let request = socket.request
    let words = [
        request.remoteAddress.host, request.peerAddress.host,
        request.isSecure ? "secure" : "plain",
    ]
    try await socket.send(words.joined(separator: " "))
    while try await socket.receive() != nil {}
}
