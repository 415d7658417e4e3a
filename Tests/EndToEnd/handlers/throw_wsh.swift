import WebSocketHost

struct TestFailure: Error, CustomStringConvertible {
    let description: String
}

/// Throws an error that says what the client sent.
public let handler = WebSocketHandler { socket in
    for try await case .text(let text) in socket {
        throw TestFailure(description: "failed: \(text)")
    }
}
