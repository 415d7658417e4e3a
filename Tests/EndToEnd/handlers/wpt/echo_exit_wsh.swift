import WebSocketHost

/// An echo that ends without a word to "exit", and closes as asked to "Goodbye".
public let handler = WebSocketHandler { socket in
    for try await message in socket {
        if message == .text("exit") { return }
        try await socket.send(message)
        if message == .text("Goodbye") {
            try await socket.close(.normalClosure, reason: "Goodbye")
            return
        }
    }
}
