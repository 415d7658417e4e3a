import EventLoop
import Processes
import Synchronization
import WebSocketHost

/// Ends a server: the first order drains it, the second one forces it to end.
final class EndOfServer: Sendable {
    private let server: Server
    private let log: Log
    private let stopSignals = Mutex(StopSignals())
    private let isForced = Flag()

    init(_ server: Server, _ log: Log) {
        self.server = server
        self.log = log
    }

    /// Whether connections were dropped that could have been closed.
    var wasForced: Bool { isForced.value }

    /// - Parameters:
    ///   - name: `SIGINT`, for the log.
    ///   - mayForce: whether a second wish drops the open connections.
    func signal(_ name: String, mayForce: Bool = true) {
        switch stopSignals.withLock({ $0.meaning(ofSignalAt: .current()) }) {
        case .first:
            let count = server.openConnectionCount
            log(.info, "\(name): closing \(count) connections; a second signal drops them")
            server.stop()
        case .repeated: break
        case .again: if mayForce { force(name) }
        }
    }

    func force(_ name: String) {
        log(.warning, "\(name) again: all connections are dropped")
        isForced.value = true
        server.forceStop()
    }
}
