// Feeds are tasks of handlers that run once over all server processes of a supervisor.

extension Server {
    /// Begins the feeds of all routes: no other process runs them. From any thread.
    package func startFeeds() {}

    /// Ends them. From any thread.
    ///
    /// - Parameter onEnd: called once they have ended; at once if there are none.
    package func endFeeds(_ onEnd: @escaping @Sendable () -> Void) { onEnd() }
}
