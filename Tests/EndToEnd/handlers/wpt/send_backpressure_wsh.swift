import Shared
import WebSocketHost

/// Sends 1 MiB sixteen times, and notes each one that `send` came back from under `?key=`.
public let handler = WebSocketHandler { socket in
    let key = socket.request.query["key"] ?? ""
    let message = [UInt8](repeating: 0x20, count: 1 << 20)
    for _ in 0..<16 {
        try await socket.send(message)
        stash.put("sent", for: key)
    }
    try await socket.send("done")
}
