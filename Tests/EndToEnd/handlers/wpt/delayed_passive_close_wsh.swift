import WebSocketHost

/// Answers the client's Close a second late.
public let handler = WebSocketHandler(
    transferData: { socket in for try await message in socket { try await socket.send(message) } },
    passiveClosingHandshake: { close in
        try await Task.sleep(for: .seconds(1))
        return close
    })
