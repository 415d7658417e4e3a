import Shared
import WebSocketHost

/// A pipe between two connections: `?uuid=` names it, `?direction=read` or `write` the end.
///
/// What is written waits until it is read, and a reader waits until something is written.
public let handler = WebSocketHandler { socket in
    let key = socket.request.query["uuid"] ?? ""
    if socket.request.query["direction"] == "write" {
        for try await case .text(let text) in socket { stash.put(text, for: key) }
        stash.put(endOfChannel, for: key)
    } else {
        while case let text = try await stash.take(key), text != endOfChannel {
            try await socket.send(text)
        }
    }
}

let endOfChannel = "\u{4}"
