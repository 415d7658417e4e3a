import WebSocketHost

/// Waits a fifth of a second for each message, three times.
public let handler = WebSocketHandler { socket in
    for _ in 0..<3 {
        do throws(ConnectionError) {
            guard let message = try await socket.receive(timeout: .milliseconds(200)) else {
                return
            }
            try await socket.send(message)
        } catch .timedOut {
            try await socket.send("nothing came")
        }
    }
}
