import EventLoop
import HTTPProtocol
import HTTPServer
import WebSocketConnection

// How a handler file that was left out is reported: all that clients and people are shown of it.

extension RouteSummary {
    /// A line for a person: the path, and the first line of ``failure``. `nil` if the route is
    /// served.
    public var failureLine: String? {
        failure.map { "left out: \(path) answers 503: \(Self.firstLine($0))" }
    }

    /// For a table: `503: ` and the first line of ``failure``. `nil` if the route is served.
    public var failureState: String? { failure.map { "503: \(Self.firstLine($0))" } }

    private static func firstLine(_ text: String) -> String {
        escaped(String(text.prefix { !$0.isNewline }))
    }

    /// What the index page has in the route's place.
    ///
    /// - Parameter isWatched: whether the file is compiled again when it changes.
    func brokenSection(_ name: String, isWatched: Bool) -> String {
        """
        <details class="route broken">
        <summary>\(name)<span class="state">left out</span></summary>
        <p>It answers 503. Fix the file\(isWatched ? "" : " and start the server again"). \
        The reason:</p>
        <pre tabindex="0">\(escapedHTML(failure ?? ""))</pre>
        </details>

        """
    }
}

extension Route {
    /// What a client gets instead of the handler.
    ///
    /// - Parameter isForAuthor: whether it may see what the compiler said, which has lines of the
    ///   author's files.
    func brokenResponse(_ failure: String, isForAuthor: Bool) -> Response {
        var response = Response(
            .serviceUnavailable,
            text: isForAuthor
                ? "\(source) is left out:\n\(failure)" : "The handler of this path is left out.")
        response.refusal = HandshakeRefusal(
            "\(source) is left out: \(failure.prefix { !$0.isNewline })")
        return response
    }

    /// The same while the handler is left out for a time.
    func trappingResponse(_ rest: Duration) -> Response {
        let seconds = max(1, Int((rest.seconds).rounded(.up)))
        var fields = Fields()
        fields.add("Retry-After", "\(seconds)")
        return Response(
            .serviceUnavailable,
            text: "\(path) is left out for \(seconds) s: its handler traps again and again, which "
                + "ends the connections of all. The server's log has the file and the place.",
            fields: fields)
    }
}
