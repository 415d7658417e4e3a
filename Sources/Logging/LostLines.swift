import EventLoop

/// How many lines could not be written, and why.
struct LostLines: LogLine, Equatable {
    enum Reason: Equatable, CustomStringConvertible {
        case failed(SystemError)
        /// ``LogSettings/queueByteLimit``
        case full

        var description: String {
            switch self {
            case .failed(let error): "\(error)"
            case .full: "the reader of the log was too slow"
            }
        }
    }

    var count = 0
    var reason = Reason.full

    var message: String? { nil }

    func addFields(to line: inout LineText) {
        line.add("event", .text("lost"), .hidden)
        line.add(
            "count", .number(count),
            .before(
                count == 1 ? " log line before this was lost" : " log lines before this were lost"))
        line.add("reason", .text("\(reason)"), .after(": "))
    }
}
