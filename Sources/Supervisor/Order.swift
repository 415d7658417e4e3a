/// A message from a supervisor to a server process.
package enum Order: Equatable, Sendable {
    /// Accept no new connections, and end with the last open one.
    case retire
    /// Close all connections and end, because of this signal.
    case stop(signal: String)
    /// Close all connections with 1012 and end: another process serves.
    case replace
    /// Drop all connections and end.
    case force(signal: String)
    /// Answer 503 for the routes of this handler file, for so long: it traps again and again.
    case leaveOut(source: String, duration: Duration)
    /// Share topics with another process, through the socket that comes with this.
    case link
    /// Answer what the owner asks on the connection that comes with this.
    case answer
    /// Run the feeds: no other process does. ``retire`` and all that ends the process ends them.
    case startFeeds
    /// Show these messages of the compiler on the index page; empty: the last change has no errors.
    case show(failure: String)

    /// Whether it is answered by ``Report/stopping``.
    package var endsProcess: Bool {
        switch self {
        case .stop, .replace, .force: true
        case .retire, .leaveOut, .link, .answer, .startFeeds, .show: false
        }
    }

    package var text: String {
        switch self {
        case .retire: "retire"
        case .stop(let signal): "stop\t\(signal)"
        case .replace: "replace"
        case .force(let signal): "force\t\(signal)"
        case .leaveOut(let source, let duration):
            "leave out\t\(duration.milliseconds)\t\(source)"
        case .link: "link"
        case .answer: "answer"
        case .startFeeds: "start feeds"
        case .show(let failure): "show\t\(failure)"
        }
    }

    /// - Returns: `nil` for an unknown message.
    package init?(_ text: String) {
        let words = text.split(separator: "\t", maxSplits: 1, omittingEmptySubsequences: false).map(
            String.init)
        switch (words[0], words.count) {
        case ("retire", 1): self = .retire
        case ("stop", 2): self = .stop(signal: words[1])
        case ("replace", 1): self = .replace
        case ("link", 1): self = .link
        case ("answer", 1): self = .answer
        case ("start feeds", 1): self = .startFeeds
        case ("force", 2): self = .force(signal: words[1])
        case ("show", 2): self = .show(failure: words[1])
        case ("leave out", 2):
            let parts = words[1].split(separator: "\t", maxSplits: 1).map(String.init)
            guard parts.count == 2, let milliseconds = Int64(parts[0]) else { return nil }
            self = .leaveOut(source: parts[1], duration: .milliseconds(milliseconds))
        default: return nil
        }
    }
}
