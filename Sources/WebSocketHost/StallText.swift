import EventLoop

/// What the log says of a loop that does not come round.
struct StallText {
    /// The route whose handler has the thread, safe to print; `nil`: not known.
    var route: String?
    /// What of it.
    var part = RoutePart.connection
    var duration: Duration
    /// Connections of each route that wait, safe to print.
    var waiting: [(route: String, count: Int)] = []
    /// Connections that wait and are no WebSockets, or none yet.
    var requestCount = 0

    /// Routes named in a line, those with the most connections first.
    static let routeLimit = 8

    var subject: String { route.map { "\(part.name) of \($0)" } ?? "something" }
    private var milliseconds: Int64 { duration.wholeNanoseconds / 1_000_000 }

    /// While it lasts, without who waits.
    var cause: String { "\(subject) has been blocking its thread for \(milliseconds) ms" }

    /// While it lasts.
    var whileBlocked: String {
        "\(cause): \(whoWaits). "
            + "Use await instead of sleeping or waiting, and offload { … } for code that blocks."
    }

    /// Once it is over.
    var afterwards: String { "\(subject) blocked its thread for \(milliseconds) ms" }

    private var whoWaits: String {
        let sorted = waiting.filter { $0.count > 0 }.sorted { $0.count > $1.count }
        var parts = sorted.prefix(Self.routeLimit).map { "\($0.count) of \($0.route)" }
        let rest = sorted.dropFirst(Self.routeLimit)
        if !rest.isEmpty {
            parts.append("\(rest.reduce(0) { $0 + $1.count }) of \(rest.count) other routes")
        }
        if requestCount > 0 { parts.append("\(requestCount) without a WebSocket") }
        if parts.isEmpty { return "no other connection waits" }
        return "other connections wait (\(parts.joined(separator: ", ")))"
    }
}
