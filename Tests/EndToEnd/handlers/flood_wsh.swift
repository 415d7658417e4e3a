import WebSocketHost

/// Takes "COUNT SIZE" and sends that many binary messages, as fast as `send` lets it.
public let handler = WebSocketHandler { socket in
    for try await case .text(let line) in socket {
        let numbers = line.split(separator: " ").compactMap { Int($0) }
        let message = [UInt8](repeating: 0x2E, count: numbers[1])
        for _ in 0..<numbers[0] { try await socket.send(message) }
    }
}
