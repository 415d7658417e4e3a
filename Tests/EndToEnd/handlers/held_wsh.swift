import Shared
import WebSocketHost

/// An echo whose tasks are counted, however they end.
public let handler = WebSocketHandler { socket in
    runningHandlerCount.add(1, ordering: .relaxed)
    defer { runningHandlerCount.subtract(1, ordering: .relaxed) }
    for try await message in socket { try await socket.send(message) }
}
