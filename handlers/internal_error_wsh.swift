import WebSocketHost

struct NotToday: Error {}

/// Throws: the client gets a Close with 1011, the log gets the route and the error.
///
/// Try it: connect, then look at what the server printed.
public let handler = WebSocketHandler { _ in
    throw NotToday()
}
