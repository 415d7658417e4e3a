import WebSocketHost

/// Answers the client's Close with another code.
public let handler = WebSocketHandler(
    transferData: { socket in for try await _ in socket {} },
    passiveClosingHandshake: { close in Close(3_001, reason: "after \(close)") })
