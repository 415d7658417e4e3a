import EventLoop

/// Lines that any stranger can cause, by what they are about.
package enum StrangerLine: String, CaseIterable, Sendable {
    case badRequest = "bad requests"
    case badHandshake = "bad handshakes"
    case misdirectedRequest = "requests for other hosts"
    case failedTLS = "failed TLS handshakes"
    case slowHead = "slow request heads"
    case earlyData = "floods before the handshake"
    case refusedOrigin = "refused origins"
    case failedConnection = "failed connections"
    case pingTimeout = "ping time-outs"
    case refusedConnection = "refused connections"
}

/// Lets the first lines of a kind in each second through and counts the others.
struct RepeatLimit {
    /// 10: enough to see what is going on, too little to fill a disk with.
    static let lineLimitPerSecond = 10
    private static let window: Duration = .seconds(1)

    /// How many lines of a kind were left out.
    struct Repeats: Equatable {
        let kind: StrangerLine
        /// Of the last one.
        let level: LogLevel
        let count: Int

        var text: String { "\(kind.rawValue): and \(count) more like that" }
        var fields: [LogField] {
            [
                LogField(name: "event", value: .text("repeats")),
                LogField(name: "count", value: .number(count)),
            ]
        }
    }

    private struct Window {
        let end: MonotonicTime
        var lineCount = 0
        var leftOutCount = 0
        var level: LogLevel
    }

    private var windows: [StrangerLine: Window] = [:]
    private var leftOutKindCount = 0

    /// Whether nothing was left out that was not told.
    var isEmpty: Bool { leftOutKindCount == 0 }

    mutating func admits(_ kind: StrangerLine, _ level: LogLevel, at now: MonotonicTime) -> Bool {
        var window = windows[kind] ?? Window(end: now + Self.window, level: level)
        // One whose count was not told yet stays until `takeDue`.
        if window.end <= now && window.leftOutCount == 0 {
            window = Window(end: now + Self.window, level: level)
        }
        window.level = level
        window.lineCount += 1
        let isAdmitted = window.lineCount <= Self.lineLimitPerSecond
        if !isAdmitted {
            if window.leftOutCount == 0 { leftOutKindCount += 1 }
            window.leftOutCount += 1
        }
        windows[kind] = window
        return isAdmitted
    }

    /// What was left out in seconds that are over.
    mutating func takeDue(at now: MonotonicTime) -> [Repeats] {
        var due: [Repeats] = []
        for kind in StrangerLine.allCases {
            guard let window = windows[kind], window.leftOutCount > 0, window.end <= now else {
                continue
            }
            due.append(Repeats(kind: kind, level: window.level, count: window.leftOutCount))
            windows[kind] = nil
            leftOutKindCount -= 1
        }
        return due
    }
}
