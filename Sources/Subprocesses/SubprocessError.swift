/// Why a program could not be run, written to or read.
public enum SubprocessError: Error, Sendable, Hashable, CustomStringConvertible {
    /// There is no such file, it may not be executed, or it is no program.
    case notStarted(path: String, reason: String)
    /// As many run as may: ``SubprocessLimit``.
    case tooManySubprocesses(limit: Int)
    /// A line of its output is longer than ``SubprocessSettings/lineByteLimit``.
    case lineTooLong(byteLimit: Int)
    /// It reads its input no more, or ``Subprocess/endInput()`` was called.
    case inputClosed
    /// Two tasks read its output at a time.
    case readInProgress
    /// The task was cancelled.
    case cancelled

    public var description: String {
        switch self {
        case .notStarted(let path, let reason): "\(path) cannot be run: \(reason)"
        case .tooManySubprocesses(let limit):
            "\(limit) program\(limit == 1 ? " runs" : "s run") already (--max-programs)"
        case .lineTooLong(let byteLimit):
            "a line of the program's output is longer than \(byteLimit) bytes"
        case .inputClosed: "the program reads its input no more"
        case .readInProgress: "another task reads the program's output"
        case .cancelled: "cancelled"
        }
    }
}
