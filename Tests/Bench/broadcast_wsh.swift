import Shared
import WebSocketHost

let room = Room()

/// What anyone says goes to everyone: what Tests/Bench/run measures as a broadcast.
public let handler = WebSocketHandler { socket in
    try await room.admit(socket) {
        for try await case .text(let text) in socket { room.say(text) }
    }
}
