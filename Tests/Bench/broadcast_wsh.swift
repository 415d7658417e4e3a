import WebSocketHost

/// What anyone says goes to everyone: what Tests/Bench/run measures as a broadcast.
public let handler = WebSocketHandler { socket in
    try await socket.subscribe(to: "all")
    for try await message in socket { socket.topics.publish(message, to: "all") }
}
