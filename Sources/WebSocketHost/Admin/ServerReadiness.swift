import EventLoop
import Synchronization

/// Whether clients should be sent to a server.
package enum ServerReadiness: Hashable, Sendable {
    case ready
    /// Why not, in a line.
    case unready(String)
}

/// Something that has to be so before clients are sent to a server, such as a connection to a
/// machine that it cannot do without.
package struct ReadinessCondition: Sendable {
    /// Stands before the reason.
    package let name: String
    /// `nil`: it is so; else why not, in a line. Called from any thread: it must not wait.
    package let obstacle: @Sendable () -> String?

    package init(name: String, obstacle: @escaping @Sendable () -> String?) {
        self.name = name
        self.obstacle = obstacle
    }
}

/// How a server is, as probes ask for it. From any thread.
package struct Health: Sendable {
    /// Loops whose present turn lasts too long, a line for each; empty: every loop turns.
    let blockedLoops: @Sendable () -> [String]
    let readiness: @Sendable () -> ServerReadiness

    package init(
        blockedLoops: @escaping @Sendable () -> [String] = { [] },
        readiness: @escaping @Sendable () -> ServerReadiness
    ) {
        self.blockedLoops = blockedLoops
        self.readiness = readiness
    }
}

// From any thread.
extension Server {
    /// Makes ``readiness`` depend on it, too.
    package func require(_ condition: ReadinessCondition) {
        state.withLock { $0.readinessConditions.append(condition) }
    }

    /// | is | when |
    /// |---|---|
    /// | unready | it has not begun, is replaced, or stops |
    /// | unready | a new connection would wait: all loops are blocked, and no spare one may begin |
    /// | unready | a condition of ``require(_:)`` is not met |
    /// | ready | else |
    package var readiness: ServerReadiness {
        let (phase, conditions) = state.withLock { ($0.phase, $0.readinessConditions) }
        switch phase {
        case .new: return .unready("the server has not begun")
        case .retiring: return .unready("another process has taken this one's place")
        case .stopping:
            return .unready("the server stops: \(openConnectionCount) connections are still open")
        case .started: break
        }
        let now = control.loop.currentTime
        let workers = allWorkers
        let isFull = workers.count >= self.workers.count + configuration.spareLoopLimit
        if isFull && workers.allSatisfy({ isStalled($0, at: now) }) {
            return .unready("all \(workers.count) event loops are blocked by handlers")
        }
        for condition in conditions {
            if let obstacle = condition.obstacle() {
                return .unready("\(condition.name): \(obstacle)")
            }
        }
        return .ready
    }

    /// Those that the log names too, after ``Configuration/blockedLoopThreshold``.
    var blockedLoops: [String] {
        let now = control.loop.currentTime
        return allWorkers.enumerated().compactMap { index, worker in
            guard let duration = worker.loop.turnDuration(at: now),
                duration >= configuration.blockedLoopThreshold
            else { return nil }
            let text = stallText(
                of: worker, activity: worker.loop.currentActivity, duration: duration)
            return "event loop \(index): \(text.cause)"
        }
    }

    /// Of a server that is gone: not ready.
    var health: Health {
        Health(
            blockedLoops: { [weak self] in self?.blockedLoops ?? [] },
            readiness: { [weak self] in self?.readiness ?? .unready("the server has ended") })
    }
}
