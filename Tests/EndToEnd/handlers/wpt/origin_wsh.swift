import WebSocketHost

/// Says the Origin, the Referer and the cookies that came with the handshake, and its query.
public let handler = WebSocketHandler { socket in
    let request = socket.request
    try await socket.send(request.origin ?? "(none)")
    try await socket.send(request.fields["Referer"] ?? "(none)")
    try await socket.send(request.fields["Cookie"] ?? "(none)")
    try await socket.send(
        request.target.split(separator: "?", maxSplits: 1).dropFirst().first.map(String.init) ?? "")
}
