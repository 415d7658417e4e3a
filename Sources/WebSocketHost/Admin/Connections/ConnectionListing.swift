import EventLoop
import WebSocketConnection

/// Connections, as JSON objects.
struct ConnectionListing: Hashable, Sendable {
    /// An object for each, in one line of text.
    var entries: [String] = []
    /// Whether there are more, which the limit left out.
    var isCut = false
    /// The loops and processes whose connections are not known, by name.
    var missing: [String] = []

    /// Of one process or loop: more is left out. 2 MiB, which 10,000 usual entries take.
    static let byteLimit = 2 << 20

    mutating func add(_ other: ConnectionListing, limit: Int) {
        let room = max(0, limit - entries.count)
        entries += other.entries.prefix(room)
        isCut = isCut || other.isCut || other.entries.count > room
        missing += other.missing
    }

    var json: String {
        let missing = missing.map { quotedAsJSON($0) }.joined(separator: ",")
        return "{\"connections\":[\(entries.joined(separator: ",\n"))],\"truncated\":\(isCut),"
            + "\"missing\":[\(missing)]}"
    }
}

extension ConnectionSummary {
    /// - Parameter process: the server process's number.
    func json(process: UInt64) -> String {
        let user = user.map { quotedAsJSON($0) } ?? "null"
        return "{\"id\":\"\(process)-\(number)\",\"route\":\(quotedAsJSON(route)),"
            + "\"address\":\(quotedAsJSON("\(address)")),\"user\":\(user),"
            + "\"age\":\(age.secondsText),"
            + "\"messagesIn\":\(receivedMessageCount),\"bytesIn\":\(receivedByteCount),"
            + "\"messagesOut\":\(sentMessageCount),\"bytesOut\":\(sentByteCount),"
            + "\"queuedBytes\":\(queuedByteCount),\"closing\":\(isClosing)}"
    }
}

extension Duration {
    /// In seconds, to a thousandth: `12.345`.
    var secondsText: String {
        let milliseconds = max(0, wholeNanoseconds / 1_000_000)
        let thousandths = String(milliseconds % 1_000)
        let zeros = String(repeating: "0", count: 3 - thousandths.count)
        return "\(milliseconds / 1_000).\(zeros)\(thousandths)"
    }
}

// MARK: - From process to process

extension ConnectionListing {
    /// One line for each, with what it is in front.
    var text: String {
        var lines = entries.map { "entry\t" + $0 } + missing.map { "missing\t" + $0 }
        if isCut { lines.append("cut\t") }
        return lines.joined(separator: "\n")
    }

    /// Lines that it does not know are left out: the other process may have another version.
    init(text: String) {
        self.init()
        for line in text.split(separator: "\n") {
            let parts = line.split(separator: "\t", maxSplits: 1, omittingEmptySubsequences: false)
            let value = parts.count == 2 ? String(parts[1]) : ""
            switch parts[0] {
            case "entry": entries.append(value)
            case "missing": missing.append(value)
            case "cut": isCut = true
            default: break
            }
        }
    }
}
