import Shared
import WebSocketHost

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
    // Of two processes, as there are after a save, both have a connection with the number 1.
    let name = "guest \(socket.request.remoteAddress.port)"
    let topics = socket.topics
    func say(_ line: HTML) { topics.publish(line.markup, to: "chat") }
    func count() -> Int { topics.subscriberCount(of: "chat") }

    try await socket.subscribe(to: "chat")
    // Whatever ends the connection has ended its subscription before.
    defer { say(notice("\(name) left, \(count()) here")) }
    say(notice("\(name) came, \(count()) here"))
    for try await case .text(let text) in socket { say(message(text, from: name)) }
}
