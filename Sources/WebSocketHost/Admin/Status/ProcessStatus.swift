import EventLoop
import Synchronization
import WebSocketProtocol

/// How one server process is.
struct ProcessStatus: Hashable, Sendable {
    enum State: String, Sendable { case serving, retired, stopping }

    var number: UInt64
    var state: State
    var connectionCount: Int
    /// Open connections by path, safe to print, of routes that have any or are served.
    var routes: [String: Int] = [:]
    /// A line for each.
    var blockedLoops: [String] = []
}

// On the control loop's thread.
extension Server {
    var ownStatus: ProcessStatus {
        let phase = state.withLock(\.phase)
        var status = ProcessStatus(
            number: identity.processNumber,
            state: phase == .retiring ? .retired : phase == .stopping ? .stopping : .serving,
            connectionCount: openConnectionCount, blockedLoops: blockedLoops)
        for worker in allWorkers {
            let counts = worker.connections.openCounts.values
            for (route, count) in zip(worker.connections.routes.all, counts)
            where route.path != ChangeFeed.path {
                status.routes[escaped(route.path), default: 0] += count
            }
        }
        return status
    }
}

// MARK: - From process to process

extension ProcessStatus {
    /// One line for each, with what it is in front.
    var text: String {
        let first = "process\t\(number)\t\(state.rawValue)\t\(connectionCount)"
        let routes = routes.sorted { $0.key < $1.key }.map { "route\t\($0.value)\t\($0.key)" }
        return ([first] + routes + blockedLoops.map { "blocked\t" + $0 }).joined(separator: "\n")
    }

    /// - Returns: `nil` if the first line is no process's. Other lines that are not known are left
    ///   out: the other process may have another version.
    init?(text: String) {
        let lines = text.split(separator: "\n")
        let words = (lines.first ?? "").split(separator: "\t")
        guard words.count == 4, words[0] == "process", let number = UInt64(words[1]),
            let state = State(rawValue: String(words[2])), let count = Int(words[3])
        else { return nil }
        self.init(number: number, state: state, connectionCount: count)
        for line in lines.dropFirst() {
            let words = line.split(separator: "\t", maxSplits: 1)
            guard words.count == 2 else { continue }
            switch words[0] {
            case "blocked": blockedLoops.append(String(words[1]))
            case "route":
                let parts = words[1].split(separator: "\t", maxSplits: 1)
                if parts.count == 2, let count = Int(parts[0]) {
                    routes[String(parts[1]), default: 0] += count
                }
            default: break
            }
        }
    }
}
