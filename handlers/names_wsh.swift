import Glibc
import Shared
import WebSocketHost

let room = Room()

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
    try await room.admit(socket) {
        room.say("Welcome, \(address) !")
        // Also if the tab is closed and the loop below throws.
        defer { room.say("\(timeOfDay()) \(address) logged out") }
        for try await case .text(let text) in socket {
            if text == "quit" { return }
            room.say("\(timeOfDay()) \(address) say: \(text)")
        }
    }
}
