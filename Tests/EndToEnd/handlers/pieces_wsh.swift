import WebSocketHost

/// Sends one message in three pieces, and a Ping between them.
public let handler = WebSocketHandler { socket in
    try await socket.send("a", end: false)
    async let roundTrip = socket.ping([1, 2, 3])
    try await socket.send("b", end: false)
    try await socket.send("c")
    _ = try await roundTrip
    try await socket.send("answered")
}
