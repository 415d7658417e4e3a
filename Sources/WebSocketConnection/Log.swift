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

    public var name: String {
        switch self {
        case .fine: "fine"
        case .debug: "debug"
        case .info: "info"
        case .warning: "warning"
        case .error: "error"
        case .critical: "critical"
        }
    }
}

/// Where log lines go, from any thread: each at once and whole, but for those about connections
/// where ``LogSettings/joinsConnectionLines`` is set.
///
/// Levels, format and rotation are its ``LogSettings``. A line that cannot be written, because the
/// disk is full for instance, is counted and told once lines can be written again.
public final class Log: Sendable {
    public let settings: LogSettings
    public var level: LogLevel { settings.level }
    private let output: Mutex<LogOutput>
    /// The output's, to look whether there are any without its lock.
    let pendingLines: PendingLines?
    private let onLine: (@Sendable (String) -> Void)?
    private let limit = Mutex(RepeatLimit())

    /// - Parameter descriptor: open for writing; 2 is standard error. Stays open.
    public init(_ settings: LogSettings, descriptor: Int32 = 2) {
        self.settings = settings
        onLine = nil
        let descriptorOutput = LogOutput(
            descriptor: descriptor, joinsConnectionLines: settings.joinsConnectionLines)
        pendingLines = descriptorOutput.pending
        output = Mutex(descriptorOutput)
    }

    /// Hands lines to another log, or to a test.
    ///
    /// - Parameter onLine: called with each line, without its end, from any thread, and at times
    ///   from several at once. It must not block: connections wait meanwhile.
    public init(_ settings: LogSettings, onLine: @escaping @Sendable (String) -> Void) {
        self.settings = settings
        self.onLine = onLine
        pendingLines = nil
        output = Mutex(LogOutput(descriptor: -1))
    }

    /// - Parameter descriptor: open for writing; 2 is standard error. Stays open.
    public convenience init(level: LogLevel = .info, descriptor: Int32 = 2) {
        self.init(LogSettings(level: level), descriptor: descriptor)
    }

    /// Opens a file to append to, made if need be, and rotated as the settings say.
    ///
    /// - Throws: why it cannot be written.
    public init(_ settings: LogSettings, path: String) throws(SystemError) {
        let file = try LogOutput(
            path: path, byteLimit: settings.fileByteLimit, countLimit: settings.fileCountLimit,
            joinsConnectionLines: settings.joinsConnectionLines)
        self.settings = settings
        onLine = nil
        pendingLines = file.pending
        output = Mutex(file)
    }

    /// Opens a file to append to, made if need be.
    ///
    /// - Throws: why it cannot be written.
    public convenience init(level: LogLevel, path: String) throws(SystemError) {
        try self.init(LogSettings(level: level), path: path)
    }

    /// Whether a line of this level is written; for those who would have to gather what it says.
    public func isEnabled(_ level: LogLevel) -> Bool { level >= settings.level }

    /// Writes a line with time and level in front, if the level is enabled.
    ///
    /// - Parameter message: made only if it is written. Whatever came from outside in it must have
    ///   been through ``escaped(_:limit:)``.
    public func callAsFunction(_ level: LogLevel, _ message: @autoclosure () -> String) {
        guard isEnabled(level) else { return }
        write(level, message())
    }

    /// Writes lines as they are, whatever the level: what a person asked to be told. In JSON they
    /// are one object.
    public func announce(_ lines: String) {
        switch settings.format {
        case .text: put(lines + "\n")
        case .json: write(.info, lines)
        }
    }

    /// Closes the file and opens it anew under its name, which something else may have moved away.
    /// From any thread. If that fails, the old file is written on.
    public func reopen() {
        flush()
        do throws(SystemError) {
            guard try output.withLock({ output throws(SystemError) in try output.reopen() }) else {
                return callAsFunction(.info, "the log is no file: there is nothing to open anew")
            }
            callAsFunction(.info, "the log goes on here: its file was opened anew")
        } catch {
            callAsFunction(.error, "the log could not be opened anew: \(error); it goes on here")
        }
    }

    /// Whether ``flush()`` has to be called at the end of each turn of a loop.
    package var needsFlush: Bool { pendingLines != nil }

    /// Writes the lines that wait. From any thread.
    package func flush() {
        guard pendingLines?.isEmpty == false else { return }
        output.withLock { $0.flush(format: settings.format) }
    }

    func write(_ level: LogLevel, _ message: String, _ fields: [LogField] = []) {
        tellRepeats()
        put(settings.format.line(level, message, fields, .now()))
    }

    private func put(_ line: String) {
        if let onLine { return onLine(line.hasSuffix("\n") ? String(line.dropLast()) : line) }
        var line = line
        output.withLock { output in
            line.withUTF8 { output.write(UnsafeRawBufferPointer($0), format: settings.format) }
        }
    }
}

// MARK: - Special lines

extension Log {
    /// Whether a line about compression is written: these have a level of their own.
    package func isCompressionEnabled(_ level: LogLevel) -> Bool {
        level >= settings.compressionLevel
    }

    /// A line about what was agreed on or went wrong in compression (RFC 7692).
    package func compression(_ level: LogLevel, _ message: @autoclosure () -> String) {
        guard isCompressionEnabled(level) else { return }
        write(level, message())
    }

    /// A connection that opened or closed. As text it is put together where the one before was.
    package func access(_ line: @autoclosure () -> AccessLine) {
        guard isEnabled(.info) else { return }
        let line = line()
        guard onLine == nil else { return write(.info, line.text, line.fields) }
        tellRepeats()
        if settings.format == .text { return output.withLock { $0.writeSoon(line, .now()) } }
        var text = settings.format.line(.info, line.text, line.fields, .now())
        output.withLock { output in
            text.withUTF8 { output.writeSoon(UnsafeRawBufferPointer($0), format: settings.format) }
        }
    }

    /// A line that any stranger can cause, as often as he likes: after some of its kind in one
    /// second the others are only counted.
    ///
    /// - Parameters:
    ///   - isAboutCompression: goes by the level for these lines.
    ///   - message: made only if it is written.
    package func stranger(
        _ kind: StrangerLine, _ level: LogLevel, isAboutCompression: Bool = false,
        _ message: @autoclosure () -> String
    ) {
        guard isAboutCompression ? isCompressionEnabled(level) : isEnabled(level) else { return }
        tellRepeats()
        let now = MonotonicTime.current()
        guard limit.withLock({ $0.admits(kind, level, at: now) }) else { return }
        write(level, message())
    }

    /// Tells how many lines were left out, once the second in which they were is over. Whoever has
    /// a clock calls it now and then; each line that is written does too.
    package func tellRepeats() {
        let repeats = limit.withLock { limit in
            limit.isEmpty ? [] : limit.takeDue(at: .current())
        }
        for left in repeats {
            put(settings.format.line(left.level, left.text, left.fields, .now()))
        }
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
