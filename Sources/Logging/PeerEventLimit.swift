import EventLoop

/// Lines that any peer can cause, by their subject.
package enum PeerEvent: String, CaseIterable, Sendable {
    case badRequest = "bad requests"
    case refusedHandshake = "refused handshakes"
    case failedHandshake = "handshakes that a handler threw for"
    case misdirectedRequest = "requests for other hosts"
    case failedTLS = "failed TLS handshakes"
    case slowHead = "slow request heads"
    case earlyData = "floods before the handshake"
    case refusedOrigin = "refused origins"
    case failedConnection = "failed connections"
    case pingTimeout = "ping time-outs"
    case refusedConnection = "refused connections"
    case limitedClient = "clients over a limit of their address"
    case clientWithoutRoom = "clients that are not limited"
    case limitedMessages = "clients that send too many messages"
    case slowSubscriber = "subscribers that read too slowly"
}

/// Lets the first lines of a kind in each second through and counts the others.
struct PeerEventLimit {
    /// 10: enough to see what is going on, too little to fill a disk with.
    static let lineLimitPerSecond = 10
    private static let window: Duration = .seconds(1)

    /// How many lines of a kind were left out.
    struct Omitted: LogLine, Equatable {
        let kind: PeerEvent
        /// Of the last one.
        let level: LogLevel
        let count: Int

        var message: String? { nil }

        func addFields(to line: inout LineText) {
            line.add("event", .text("repeats"), .hidden)
            line.add("kind", .text(kind.rawValue), .plain)
            line.add("count", .number(count), .between(": and ", " more like that"))
        }
    }

    private struct Window {
        let end: MonotonicTime
        var lineCount = 0
        var omittedCount = 0
        var level: LogLevel
    }

    private var windows: [PeerEvent: Window] = [:]
    private var omittedKindCount = 0

    /// Whether every line that was left out has been reported.
    var isEmpty: Bool { omittedKindCount == 0 }

    mutating func admits(_ kind: PeerEvent, _ level: LogLevel, at now: MonotonicTime) -> Bool {
        var window = windows[kind] ?? Window(end: now + Self.window, level: level)
        // One whose count was not reported yet stays until `takeDue`.
        if window.end <= now && window.omittedCount == 0 {
            window = Window(end: now + Self.window, level: level)
        }
        window.level = level
        window.lineCount += 1
        let isAdmitted = window.lineCount <= Self.lineLimitPerSecond
        if !isAdmitted {
            if window.omittedCount == 0 { omittedKindCount += 1 }
            window.omittedCount += 1
        }
        windows[kind] = window
        return isAdmitted
    }

    /// What was left out in seconds that are over.
    mutating func takeDue(at now: MonotonicTime) -> [Omitted] {
        var due: [Omitted] = []
        for kind in PeerEvent.allCases {
            guard let window = windows[kind], window.omittedCount > 0, window.end <= now else {
                continue
            }
            due.append(Omitted(kind: kind, level: window.level, count: window.omittedCount))
            windows[kind] = nil
            omittedKindCount -= 1
        }
        return due
    }
}
