import EventLoop

/// Tells whether a signal to end is the first wish, the same one once more, or a second one.
///
/// A shell and its child, `timeout` and its process group, a service manager that sends SIGINT and
/// then SIGTERM: all of these tell one wish twice within a moment.
public struct StopSignals: Sendable {
    public enum Meaning: Sendable {
        case first
        /// Nothing new: less than ``repeatWindow`` after the first.
        case repeated
        /// Somebody does not want to wait.
        case again
    }

    /// So long after the first signal others say nothing new: 500 ms.
    public static let repeatWindow: Duration = .milliseconds(500)

    private var first: MonotonicTime?

    public init() {}

    public mutating func meaning(ofSignalAt now: MonotonicTime) -> Meaning {
        guard let first else {
            first = now
            return .first
        }
        return now < first + Self.repeatWindow ? .repeated : .again
    }
}
