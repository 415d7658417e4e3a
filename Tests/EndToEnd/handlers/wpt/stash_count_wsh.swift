import Shared
import WebSocketHost

/// Answers each key with how many texts there are under it, or, below zero, how many wait for one.
public let handler = WebSocketHandler { socket in
    for try await case .text(let key) in socket { try await socket.send("\(stash.count(key))") }
}
