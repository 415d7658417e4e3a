import WebSocketHost

/// Prints each message on standard output, and sends nothing.
///
/// Text from a client may contain control characters for a terminal; `escaped` makes them visible.
///
/// Try it: send something, and look at the terminal in which the server runs.
public let handler = WebSocketHandler { socket in
    for try await message in socket {
        switch message {
        case .text(let text): print(escaped(text))
        case .binary(let bytes): print("\(bytes.count) bytes: \(bytes.prefix(16))")
        }
    }
}
