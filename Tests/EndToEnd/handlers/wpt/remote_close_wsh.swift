import WebSocketHost

/// Closes first: with `?code=` and `?reason=`; without a code; or with `?abrupt` by a Ping and the
/// end of TCP.
public let handler = WebSocketHandler { socket in
    let query = socket.request.query
    if query.contains("abrupt") {
        try await socket.unsafeWrite(UnsafeFrame(opcode: 0x9, payload: Array("last".utf8)).bytes)
        return await socket.abort()
    }
    let code = query["code"].flatMap { UInt16($0) }.map(CloseCode.init(rawValue:))
    try await socket.close(code, reason: query["reason"] ?? "")
}
