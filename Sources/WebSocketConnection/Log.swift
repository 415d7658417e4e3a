import EventLoop
import Glibc
import Synchronization

/// How much a log line matters.
public enum LogLevel: Int, Sendable, Comparable, CaseIterable {
    /// Every frame.
    case fine
    case debug
    /// Connections coming and going.
    case info
    case warning
    case error
    case critical

    public static func < (a: Self, b: Self) -> Bool { a.rawValue < b.rawValue }

    /// Reads a level's name, `warn` included, in any case.
    public init?(name: String) {
        let name = name.lowercased()
        let found = Self.allCases.first { $0.name == name }
        guard let level = name == "warn" ? .warning : found else { return nil }
        self = level
    }

    public var name: String { "\(self)" }
}

/// Where log lines go: one line each, in one write, from any thread.
public final class Log: Sendable {
    public let level: LogLevel
    private let descriptor: Int32
    /// Keeps lines from different threads apart.
    private let lock = Mutex(())

    /// - Parameter descriptor: open for writing; 2 is standard error. Stays open.
    public init(level: LogLevel = .info, descriptor: Int32 = 2) {
        self.level = level
        self.descriptor = descriptor
    }

    /// Opens a file to append to, made if need be.
    ///
    /// - Throws: why it cannot be written.
    public convenience init(level: LogLevel, path: String) throws(SystemError) {
        let descriptor = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else { throw SystemError("open(\(path))") }
        self.init(level: level, descriptor: descriptor)
    }

    /// Whether a line of this level is written; for those who would have to gather what it says.
    public func isEnabled(_ level: LogLevel) -> Bool { level >= self.level }

    /// Writes a line with time and level in front, if the level is enabled.
    ///
    /// - Parameter message: made only if it is written. Whatever came from outside in it must have
    ///   been through ``escaped(_:limit:)``.
    public func callAsFunction(_ level: LogLevel, _ message: @autoclosure () -> String) {
        guard isEnabled(level) else { return }
        write("\(Self.timestamp()) \(level.name) \(message())\n")
    }

    /// Writes lines as they are, whatever the level: what a person asked to be told.
    public func announce(_ lines: String) { write(lines + "\n") }

    private func write(_ line: String) {
        var line = line
        lock.withLock { _ in
            line.withUTF8 { bytes in
                var rest = UnsafeRawBufferPointer(bytes)
                while !rest.isEmpty {
                    let count = Glibc.write(descriptor, rest.baseAddress, rest.count)
                    if count < 0 && errno == EINTR { continue }
                    if count <= 0 { return }  // nowhere to complain to
                    rest = UnsafeRawBufferPointer(rebasing: rest[count...])
                }
            }
        }
    }

    /// Local time to the millisecond: `2026-03-01 12:00:00.123`.
    private static func timestamp() -> String {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        var parts = tm()
        localtime_r(&time.tv_sec, &parts)
        func padded(_ number: some BinaryInteger, _ width: Int = 2) -> String {
            let digits = String(number)
            return String(repeating: "0", count: max(0, width - digits.count)) + digits
        }
        let date = "\(padded(parts.tm_year + 1900, 4))-\(padded(parts.tm_mon + 1))-\(padded(parts.tm_mday))"
        let clock = "\(padded(parts.tm_hour)):\(padded(parts.tm_min)):\(padded(parts.tm_sec))"
        return "\(date) \(clock).\(padded(time.tv_nsec / 1_000_000, 3))"
    }
}

/// Makes text from outside safe to print on one line: control characters, and those that change the
/// direction of writing, become escapes.
///
/// - Parameter limit: characters of the text that are shown; the rest is counted.
public func escaped(_ text: String, limit: Int = 200) -> String {
    var result = ""
    var count = 0
    for scalar in text.unicodeScalars {
        if count == limit { return result + "… (\(text.unicodeScalars.count) characters)" }
        count += 1
        switch scalar.properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate, .privateUse:
            result += scalar.escaped(asASCII: true)
        default:
            result += scalar == "\\" ? "\\\\" : String(scalar)
        }
    }
    return result
}
