/// A message from a server process to its supervisor.
package enum Report: Equatable, Sendable {
    /// A handler is about to be created, which runs code of its file; an empty source: all are
    /// done.
    case making(source: String)
    /// It accepts connections.
    case ready(routeCount: Int, brokenCount: Int)
    /// It is about to end by a trap, probably in the handler of this route.
    case trapped(route: String, source: String)
    /// It received a signal to end, not from its supervisor. It accepts nothing any more.
    case leaving
    /// It accepts no new connections; this many remain.
    case retiring(connectionCount: Int)
    /// Its feeds have ended, because it retires or leaves.
    case feedsEnded
    /// It closes its connections, as it was ordered to.
    case stopping
    /// Every event loop has come round since the last such report was due.
    case turned(connectionCount: Int)

    package var text: String {
        switch self {
        case .making(let source): "making\t\(source)"
        case .ready(let routes, let broken): "ready\t\(routes)\t\(broken)"
        case .trapped(let route, let source): "trapped\t\(route)\t\(source)"
        case .leaving: "leaving"
        case .retiring(let count): "retiring\t\(count)"
        case .feedsEnded: "feeds ended"
        case .stopping: "stopping"
        case .turned(let count): "turned\t\(count)"
        }
    }

    /// - Returns: `nil` for an unknown message: the other process may have another version.
    package init?(_ text: String) {
        let words = text.split(separator: "\t", maxSplits: 2, omittingEmptySubsequences: false).map(
            String.init)
        switch (words[0], words.count) {
        case ("making", 2): self = .making(source: words[1])
        case ("ready", 3):
            guard let routes = Int(words[1]), let broken = Int(words[2]) else { return nil }
            self = .ready(routeCount: routes, brokenCount: broken)
        case ("trapped", 3): self = .trapped(route: words[1], source: words[2])
        case ("leaving", 1): self = .leaving
        case ("feeds ended", 1): self = .feedsEnded
        case ("stopping", 1): self = .stopping
        case ("retiring", 2):
            guard let count = Int(words[1]) else { return nil }
            self = .retiring(connectionCount: count)
        case ("turned", 2):
            guard let count = Int(words[1]) else { return nil }
            self = .turned(connectionCount: count)
        default: return nil
        }
    }
}
