import WebSocketHost

/// Closes with 1000 if an empty message came, and then another; with 4000 and what came otherwise.
///
/// The end is `nil`, and no message.
public let handler = WebSocketHandler { socket in
    let first = try await socket.receive()
    let second = try await socket.receive()
    if first == .text("") && second == .text("not empty") {
        try await socket.close(.normalClosure, reason: "pass")
    } else {
        try await socket.close(4_000, reason: "\(String(describing: first))")
    }
}
