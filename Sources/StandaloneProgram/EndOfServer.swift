import WebSocketHost

/// Ends a server: the first order drains it, the second one forces it to end.
final class EndOfServer: Sendable {
    private let server: Server
    private let log: Log
    private let isStopping = Flag()
    private let isForced = Flag()

    init(_ server: Server, _ log: Log) {
        self.server = server
        self.log = log
    }

    /// Whether connections were dropped that could have been closed.
    var wasForced: Bool { isForced.value }

    /// - Parameters:
    ///   - name: `SIGINT`, for the log.
    ///   - mayForce: whether a second call drops the open connections.
    func signal(_ name: String, mayForce: Bool = true) {
        if !isStopping.value {
            isStopping.value = true
            let count = server.openConnectionCount
            log(.info, "\(name): closing \(count) connections; a second signal drops them")
            server.stop()
        } else if mayForce {
            force(name)
        }
    }

    func force(_ name: String) {
        log(.warning, "\(name) again: all connections are dropped")
        isForced.value = true
        server.forceStop()
    }
}
