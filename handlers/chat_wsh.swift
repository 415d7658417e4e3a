import Shared
import WebSocketHost

let room = Room()

/// A message as the page shows it. `HTML` escapes the values.
func message(_ text: String, from author: String) -> HTML {
    """
    <li><b class="author">\(author)</b> <span class="text">\(text)</span></li>
    """
}

func notice(_ text: String) -> HTML { #"<li class="notice">\#(text)</li>"# }

/// A chat room whose messages are rendered here; the page shows them unchanged.
///
/// Try it: run `./standalone.sh -d handlers/pages`, open http://localhost:9998/chat.html in two
/// windows.
public let handler = WebSocketHandler(maxMessageSize: 4_096) { socket in
    let name = "guest \(socket.id)"
    defer { room.say(notice("\(name) left, \(room.memberCount) here").markup) }
    try await room.admit(socket) {
        room.say(notice("\(name) came, \(room.memberCount) here").markup)
        for try await case .text(let text) in socket {
            room.say(message(text, from: name).markup)
        }
    }
}
