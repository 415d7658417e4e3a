import Counting
import Topics
import WebSocketConnection

// All metrics, in the order in which they are shown. Whoever adds one adds a row, and a case or a
// number for its cells; docs/METRICS.md names it.

extension Metric {
    package static let all = connections + topics + loops + processes

    private static let prefix = "websockethost_"

    private static let connections = [
        Metric(
            prefix + "connections",
            .remainder(
                ended: ConnectionCounters.closesByClient..<ConnectionCounters.routeCellCount),
            .route, at: RouteCells.accepted, "Open WebSocket connections."),
        Metric(
            prefix + "handshakes", .counter, .route, at: RouteCells.handshakes,
            "Opening handshakes, by what became of them.", label: "result",
            HandshakeResult.allCases.map(\.rawValue), omitsZero: true),
        Metric(
            prefix + "closes", .counter, .route, at: ConnectionCounters.closesByClient,
            "WebSocket connections that have ended, by the side that began it and its close code.",
            labels: ["code", "side"],
            series: ["client", "server"].flatMap { side in
                ConnectionCounters.closeCodes.map { [$0, side] }
            }, omitsZero: true),
        Metric(
            prefix + "messages", .counter, .route, at: ConnectionCounters.receivedMessages,
            "WebSocket messages.", label: "direction", directions),
        Metric(
            prefix + "message_bytes", .counter, .route, at: ConnectionCounters.receivedBytes,
            "Bytes of WebSocket messages, without frames and compression.", unit: .bytes,
            label: "direction", directions),
        Metric(
            prefix + "handshake_seconds", .histogram(.roundTrip), .loop,
            at: LoopCells.handshakeDurations,
            "From the request of a handshake to its 101.", unit: .seconds),
        Metric(
            prefix + "ping_seconds", .histogram(.roundTrip), .loop,
            at: LoopCells.connections + ConnectionCounters.pings,
            "From a Ping of the server to its Pong.", unit: .seconds),
        Metric(
            prefix + "connection_seconds", .histogram(.connection), .loop,
            at: LoopCells.connections + ConnectionCounters.durations,
            "How long WebSocket connections were open that have ended.", unit: .seconds),
        Metric(
            prefix + "queued_bytes", .gauge, .loop, at: LoopCells.queuedBytes,
            "What waits to be sent on all WebSocket connections.", unit: .bytes),
    ]

    private static let directions = ["in", "out"]

    private static let topics = [
        Metric(
            prefix + "published", .counter, .process, at: ProcessCells.published,
            "Messages that were published to topics."),
        Metric(
            prefix + "delivered", .counter, .loop, at: LoopCells.topics + TopicCells.delivered,
            "Published messages that were handed to a subscriber's connection."),
        Metric(
            prefix + "slow_clients", .counter, .loop, at: LoopCells.topics + TopicCells.skipped,
            "What was done about subscribers that read too slowly.", label: "action",
            ["skip", "wait", "close"]),
    ]

    private static let loops = [
        Metric(
            prefix + "loop_lag_seconds", .largest, .process, at: ProcessCells.loopLag,
            "The longest that an event loop let something wait in the last minute.",
            unit: .seconds)
    ]

    private static let processes = [
        Metric(
            prefix + "process_starts", .counter, .process, at: ProcessCells.starts,
            "Server processes that the supervisor has started.", label: "reason",
            ProcessStartReason.allCases.map(\.rawValue)),
        Metric(
            prefix + "build", .information, .given, at: 0, "The version of the server.",
            labels: ["version"]),
        Metric(
            "process_start_time_seconds", .gauge, .process, at: ProcessCells.startTime,
            "When the server was started, in seconds since 1970.", unit: .seconds),
        Metric(
            "process_cpu_seconds", .counter, .process, at: ProcessCells.processorTime,
            "Processor time of all server processes, also of those that have ended.",
            unit: .seconds),
        Metric(
            "process_resident_memory_bytes", .gauge, .given, at: GivenValues.residentBytes,
            "Memory of the supervisor and all server processes that is in use.", unit: .bytes),
        Metric(
            "process_open_fds", .gauge, .given, at: GivenValues.openDescriptors,
            "Open descriptors of the supervisor and all server processes."),
    ]
}

// MARK: - The cells

/// The cells of a loop for one route.
package enum RouteCells {
    /// ``ConnectionCounters``
    package static let connections = 0
    /// One for each ``HandshakeResult``.
    package static let handshakes = ConnectionCounters.routeCellCount
    package static let accepted = handshakes + HandshakeResult.accepted.index
}

/// The cells of a loop.
package enum LoopCells {
    /// ``ConnectionCounters``
    package static let connections = 0
    package static let handshakeDurations = ConnectionCounters.loopCellCount
    /// ``TopicCells``
    package static let topics = handshakeDurations + HistogramBounds.roundTrip.cellCount
    package static let queuedBytes = topics + TopicCells.count
}

/// The cells of a process. The last are the supervisor's, or those of a process without one.
package enum ProcessCells {
    package static let published = 0
    /// In nanoseconds.
    package static let loopLag = 1
    package static let processorTime = 2
    /// For whoever looks for its memory and descriptors.
    package static let processID = 3
    package static let startTime = 4
    package static let starts = 5
}

/// What became of a handshake.
package enum HandshakeResult: String, CaseIterable, Sendable {
    /// 101
    case accepted
    /// 400, 405, 421, 426, 431: no handshake that this server understands, or not for this host.
    case invalid
    /// 401
    case unauthorized
    /// 403: its origin, or a handler's hook that threw.
    case forbidden
    /// 404: no handler has the path.
    case notFound = "not_found"
    /// 429
    case limited
    /// 503: too many connections, or the handler is left out.
    case unavailable
    /// Any other answer of a handler's hook, or none.
    case rejected
    /// The client left, or was too slow, before the answer.
    case lost

    /// Its place among the results.
    package var index: Int { Self.allCases.firstIndex(of: self) ?? 0 }

    /// - Parameter status: of the answer.
    package init(status: Int) {
        switch status {
        case 101: self = .accepted
        case 400, 405, 421, 426, 431: self = .invalid
        case 401: self = .unauthorized
        case 403: self = .forbidden
        case 404: self = .notFound
        case 429: self = .limited
        case 503: self = .unavailable
        default: self = .rejected
        }
    }
}

/// Why a supervisor started a server process.
package enum ProcessStartReason: String, CaseIterable, Sendable {
    /// It is the first one.
    case start
    /// Handler files have changed.
    case change
    /// SIGHUP
    case signal
    /// The one before trapped, or was killed.
    case trap
    /// The one before ended by itself.
    case end

    package var index: Int { Self.allCases.firstIndex(of: self) ?? 0 }
}

/// What is not counted, but known when somebody asks.
package struct GivenValues: Sendable {
    static let residentBytes = 0
    static let openDescriptors = 1

    package var version: String
    package var residentByteCount: Int
    package var openDescriptorCount: Int

    package init(version: String, residentByteCount: Int, openDescriptorCount: Int) {
        self.version = version
        self.residentByteCount = residentByteCount
        self.openDescriptorCount = openDescriptorCount
    }

    func value(_ index: Int) -> Int {
        index == Self.residentBytes ? residentByteCount : openDescriptorCount
    }
}
