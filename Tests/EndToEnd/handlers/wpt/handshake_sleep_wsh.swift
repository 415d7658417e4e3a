import WebSocketHost

/// Sleeps for `?milliseconds=` before the 101.
public let handler = WebSocketHandler(
    doExtraHandshake: { request in
        let count = request.query["milliseconds"].flatMap { Int($0) } ?? 2_000
        try await Task.sleep(for: .milliseconds(count))
    },
    transferData: { socket in try await socket.send("awake") })
