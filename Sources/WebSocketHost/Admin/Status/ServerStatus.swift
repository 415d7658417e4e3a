import EventLoop
import HTTPProtocol
import HTTPServer

/// How a server is, over all of its processes.
struct ServerStatus: Sendable {
    var version: String
    var uptime: Duration
    var readiness: ServerReadiness
    /// The serving one first.
    var processes: [ProcessStatus] = []
    /// Those that do not answer, by name.
    var missing: [String] = []

    private var reason: String? {
        if case .unready(let reason) = readiness { reason } else { nil }
    }

    /// Open connections by path, in ascending order.
    private var routes: [(path: String, count: Int)] {
        var counts: [String: Int] = [:]
        for process in processes { counts.merge(process.routes) { $0 + $1 } }
        return counts.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
    }

    private var blockedLoops: [String] {
        processes.flatMap { process in
            process.blockedLoops.map { "process \(process.number), \($0)" }
        }
    }
}

// MARK: - JSON

extension ServerStatus {
    var json: String {
        let processes = processes.map {
            "{\"number\":\($0.number),\"state\":\"\($0.state.rawValue)\","
                + "\"connections\":\($0.connectionCount)}"
        }
        let routes = routes.map {
            "{\"path\":\(quotedAsJSON($0.path)),\"connections\":\($0.count)}"
        }
        let fields = [
            "\"version\":\(quotedAsJSON(version))", "\"uptime\":\(uptime.secondsText)",
            "\"ready\":\(reason == nil)", "\"reason\":\(reason.map { quotedAsJSON($0) } ?? "null")",
            "\"processes\":[\(processes.joined(separator: ","))]",
            "\"routes\":[\(routes.joined(separator: ","))]",
            "\"blockedLoops\":[\(blockedLoops.map { quotedAsJSON($0) }.joined(separator: ","))]",
            "\"missing\":[\(missing.map { quotedAsJSON($0) }.joined(separator: ","))]",
        ]
        return "{\(fields.joined(separator: ","))}"
    }
}

// MARK: - For people

extension ServerStatus {
    var table: String {
        let state = reason.map { "not ready: \($0)" } ?? "ready"
        var lines = ["WebSocketHost \(version), up \(Self.text(uptime)), \(state)"]
        if !processes.isEmpty {
            lines += Self.columns(
                [["PROCESS", "STATE", "CONNECTIONS"]]
                    + processes.map {
                        ["\($0.number)", $0.state.rawValue, "\($0.connectionCount)"]
                    })
        }
        if !routes.isEmpty {
            lines += Self.columns(
                [["ROUTE", "CONNECTIONS"]] + routes.map { [$0.path, "\($0.count)"] })
        }
        lines += blockedLoops.map { "blocked: " + $0 } + missing.map { "missing: " + $0 }
        return lines.joined(separator: "\n")
    }

    /// The last column is of numbers, so it ends in one line.
    private static func columns(_ rows: [[String]]) -> [String] {
        let count = rows.first?.count ?? 0
        let widths = (0..<count).map { column in rows.map { $0[column].count }.max() ?? 0 }
        return rows.map { row in
            row.enumerated().map { column, text in
                let spaces = String(repeating: " ", count: widths[column] - text.count)
                return column == count - 1 ? spaces + text : text + spaces
            }.joined(separator: "  ")
        }
    }

    /// In the two greatest units: `3 h 12 min`.
    private static func text(_ duration: Duration) -> String {
        let seconds = max(0, duration.components.seconds)
        let parts = [
            (seconds / 86_400, "d"), (seconds / 3_600 % 24, "h"), (seconds / 60 % 60, "min"),
            (seconds % 60, "s"),
        ]
        guard let first = parts.firstIndex(where: { $0.0 > 0 }) else { return "0 s" }
        return parts[first...].prefix(2).map { "\($0.0) \($0.1)" }.joined(separator: " ")
    }
}

// MARK: - The answer

/// Tells how a server is: as JSON, or with `?format=text` as a table for people. 503 if it is not
/// ready.
final class StatusResponder: Responder {
    private let gather: (_ then: @escaping (ServerStatus) -> Void) -> Void

    /// - Parameter gather: calls its parameter once, within a time limit.
    init(_ gather: @escaping (_ then: @escaping (ServerStatus) -> Void) -> Void) {
        self.gather = gather
    }

    func respond(to request: inout Request, _ exchange: Exchange) -> Reply {
        guard request.path.isExactly("/status") else { return .pass }
        guard request.isReading else { return .response(.readOnly) }
        let format = Query(request.query ?? "")["format"] ?? "json"
        guard format == "json" || format == "text" else {
            return .response(Response(.badRequest, text: "format is json or text."))
        }
        return .answering(
            GatheredAnswer(exchange, request) { [gather] then in
                gather { then(Response($0, isText: format == "text")) }
            })
    }
}

extension Response {
    fileprivate init(_ status: ServerStatus, isText: Bool) {
        let code: Status = status.readiness == .ready ? .ok : .serviceUnavailable
        self =
            isText
            ? Response(code, text: status.table) : Response(code, json: status.json)
        fields.add("Cache-Control", "no-store")
    }
}

extension Server {
    /// On the control loop's thread.
    func gatherStatus(then: @escaping (ServerStatus) -> Void) {
        askAll(
            .status, own: { $0(self.ownStatus) }, other: { ProcessStatus(text: $0) }
        ) { [self] parts, missing in
            then(
                ServerStatus(
                    version: identity.version, uptime: control.loop.currentTime - identity.began,
                    readiness: readiness, processes: parts.sorted { $0.number > $1.number },
                    missing: missing))
        }
    }
}
