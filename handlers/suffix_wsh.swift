import WebSocketHost

/// Answers text with the same text and a suffix that is not ASCII.
///
/// Swift strings are Unicode and are sent as UTF-8; there is nothing to encode.
///
/// Try it: send "Guten Tag".
public let handler = WebSocketHandler { socket in
    for try await case .text(let text) in socket {
        try await socket.send(text + " – grüße, 世界 🌍")
    }
}
