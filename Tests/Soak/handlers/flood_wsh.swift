import WebSocketHost

/// Sends as many messages of 64 KiB as the client says.
public let handler = WebSocketHandler { socket in
    let message = [UInt8](repeating: 0x61, count: 65_536)
    for try await case .text(let text) in socket {
        for _ in 0..<(Int(text) ?? 0) { try await socket.send(message) }
    }
}
