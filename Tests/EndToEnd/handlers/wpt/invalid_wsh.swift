import WebSocketHost

/// Writes garbage before the normal 101.
public let handler = WebSocketHandler(
    doExtraHandshake: { request in try await request.unsafeWrite(Array("FOO BAR BAZ\r\n\r\n".utf8))
    },
    transferData: { socket in try await socket.send("behind the garbage") })
