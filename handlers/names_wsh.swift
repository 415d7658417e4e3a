import Glibc
import WebSocketHost

/// The server's local time as HH:MM:SS.
func timeOfDay() -> String {
    var now = time(nil)
    var parts = tm()
    localtime_r(&now, &parts)
    return [parts.tm_hour, parts.tm_min, parts.tm_sec]
        .map { $0 < 10 ? "0\($0)" : "\($0)" }.joined(separator: ":")
}

/// A chat in plain text: the name of a member is its address, and "quit" leaves.
///
/// Try it: run `./standalone.sh -d handlers/pages`, open http://localhost:9998/names.html twice.
public let handler = WebSocketHandler(maxMessageSize: 4_096) { socket in
    let address = "\(socket.request.remoteAddress)"
    let topics = socket.topics
    try await socket.subscribe(to: "names")
    topics.publish("Welcome, \(address) !", to: "names")
    // Also if the tab is closed and the loop below throws.
    defer { topics.publish("\(timeOfDay()) \(address) logged out", to: "names") }
    for try await case .text(let text) in socket {
        if text == "quit" { return }
        topics.publish("\(timeOfDay()) \(address) say: \(text)", to: "names")
    }
}
