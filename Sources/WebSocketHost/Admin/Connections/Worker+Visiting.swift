import EventLoop
import WebSocketConnection

// The owner's look at the connections of a loop, in pieces: between two of them all others have
// their turn.

extension Worker {
    /// How long the loop may be busy with it at a time.
    static let visitTimeLimit: Duration = .microseconds(500)
    /// Connections between two looks at the clock.
    private static let visitStep = 8

    /// Shows all connections that are open at the beginning and until their turn comes, each once
    /// or, if others end meanwhile, perhaps twice. From any thread.
    ///
    /// - Parameters:
    ///   - timeLimit: of a piece.
    ///   - visit: on the loop's thread; false: that is enough.
    ///   - onEnd: called once, on the loop's thread.
    func visitConnections(
        timeLimit: Duration = visitTimeLimit,
        _ visit: @escaping @Sendable (Connection) -> Bool, onEnd: @escaping @Sendable () -> Void
    ) {
        loop.submit { [self] in
            visitConnections(below: connections.count, timeLimit, visit, onEnd: onEnd)
        }
    }

    /// Downwards: one that ends is replaced by the last one, which has been shown by then.
    private func visitConnections(
        below end: Int, _ timeLimit: Duration,
        _ visit: @escaping @Sendable (Connection) -> Bool,
        onEnd: @escaping @Sendable () -> Void
    ) {
        let limit = loop.currentTime + timeLimit
        var index = min(end, connections.count)
        while index > 0 {
            index -= 1
            let connection = connections[index]
            if !connection.hasEnded && !visit(connection) { return onEnd() }
            if index % Self.visitStep == 0 && loop.currentTime >= limit { break }
        }
        guard index > 0 else { return onEnd() }
        loop.submit { [self, index] in
            visitConnections(below: index, timeLimit, visit, onEnd: onEnd)
        }
    }
}
