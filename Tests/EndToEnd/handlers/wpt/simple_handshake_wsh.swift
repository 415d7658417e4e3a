import Shared
import WebSocketHost

/// Writes a 101 and a Close (1001, "PASS") in one piece, then reads raw bytes up to the end.
///
/// What came is left in the stash, in hex, under the key of `?key=`.
public let handler = WebSocketHandler(
    doExtraHandshake: { request in
        let key = request.fields["Sec-WebSocket-Key"] ?? ""
        let answer = """
            HTTP/1.1 101 Switching Protocols\r
            Upgrade: websocket\r
            Connection: Upgrade\r
            Sec-WebSocket-Accept: \(AcceptKey.value(for: key))\r
            \r

            """
        let close = UnsafeFrame(opcode: 0x8, payload: [0x03, 0xE9] + Array("PASS".utf8))
        request.unsafeResponse = Array(answer.utf8) + close.bytes
    },
    transferData: { socket in
        var bytes: [UInt8] = []
        while let more = try await socket.unsafeReceive(timeout: .seconds(10)) { bytes += more }
        let hex = bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
        stash.put(hex, for: socket.request.query["key"] ?? "")
    })
