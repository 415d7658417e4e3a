import WebSocketHost

/// Sends "hello world" at once and then every ten seconds; /hello?seconds=0.5 sends more often.
///
/// It sends at its own times, and still notices at once when the client closes, because
/// `receive(timeout:)` waits for both.
///
/// Try it: connect to /hello?seconds=1, watch, close.
public let handler = WebSocketHandler { socket in
    let asked = socket.request.query["seconds"].flatMap(Double.init) ?? 10
    let seconds = (0.01...3600).contains(asked) ? asked : 10
    while true {
        try await socket.send("hello world")
        let next = socket.now + .seconds(seconds)
        do {
            // Messages of the client are dropped; `nil` means that it has closed.
            while try await socket.receive(timeout: next - socket.now) != nil {}
            return
        } catch ConnectionError.timedOut {}
    }
}
