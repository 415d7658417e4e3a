import WebSocketHost

// The same name as in echo_wsh.swift, which is another module.
let prefix = "HEY: "

/// Sends every text back, louder.
public let handler = WebSocketHandler { socket in
    for try await case .text(let text) in socket {
        try await socket.send(prefix + text.uppercased())
    }
}
