import WebSocketHost

/// Ticks from a task of its own while another one waits in `receive`, and answers what that gets.
public let handler = WebSocketHandler { socket in
    async let ticking: Void = {
        for number in 0..<5 {
            try await socket.send("tick \(number)")
            try await Task.sleep(for: .milliseconds(10))
        }
    }()
    for try await case .text(let text) in socket { try await socket.send("got \(text)") }
    try await ticking
}
