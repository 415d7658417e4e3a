import EventLoop
import Synchronization

/// A log of lines, each written at once and whole, from any thread.
///
/// Levels, format and rotation are its ``LogSettings``. Nobody who logs waits: lines that the
/// reader of a pipe or a terminal does not take wait in a queue of
/// ``LogSettings/queueByteLimit``. A line that has no room there, or cannot be written because the
/// disk is full for instance, is counted, and the count is logged once lines can be written again.
///
/// A program that ends calls ``flush(within:)`` before.
public final class Log: Sendable {
    public let settings: LogSettings
    public var level: LogLevel { settings.level }
    let output: Mutex<LogOutput>
    private let onLine: (@Sendable (String) -> Void)?
    private let peerEventLimit = Mutex(PeerEventLimit())

    /// - Parameter descriptor: open for writing; 2 is standard error. Stays open.
    public convenience init(_ settings: LogSettings, descriptor: Int32 = 2) {
        self.init(settings, descriptor: descriptor, opensAgain: true)
    }

    /// - Parameter opensAgain: false, for a test: as with a descriptor of another user.
    init(_ settings: LogSettings, descriptor: Int32, opensAgain: Bool) {
        self.settings = settings
        onLine = nil
        output = Mutex(LogOutput(settings, descriptor: descriptor, opensAgain: opensAgain))
    }

    /// Passes lines to another log, or to a test.
    ///
    /// - Parameter onLine: called with each line, without its end, from any thread, and at times
    ///   from several at once. It must not block: connections wait meanwhile.
    public init(_ settings: LogSettings, onLine: @escaping @Sendable (String) -> Void) {
        self.settings = settings
        self.onLine = onLine
        output = Mutex(LogOutput(settings, descriptor: -1, opensAgain: false))
    }

    /// - Parameter descriptor: open for writing; 2 is standard error. Stays open.
    public convenience init(level: LogLevel = .info, descriptor: Int32 = 2) {
        self.init(LogSettings(level: level), descriptor: descriptor)
    }

    /// Opens a file to append to, and to rotate as the settings say. Creates it if necessary.
    ///
    /// - Throws: why it cannot be written.
    public init(_ settings: LogSettings, path: String) throws(SystemError) {
        let file = try LogOutput(settings, path: path)
        self.settings = settings
        onLine = nil
        output = Mutex(file)
    }

    /// Opens a file to append to. Creates it if necessary.
    ///
    /// - Throws: why it cannot be written.
    public convenience init(level: LogLevel, path: String) throws(SystemError) {
        try self.init(LogSettings(level: level), path: path)
    }

    /// Whether lines go to a pipe with a name (FIFO): then they wait for its reader.
    public var isNamedPipe: Bool { output.withLock { $0.isNamedPipe } }

    /// Whether a line of this level is written; for callers that would have to gather its text.
    public func isEnabled(_ level: LogLevel) -> Bool { level >= settings.level }

    /// Writes a line with time and level in front, if the level is enabled.
    ///
    /// - Parameter message: made only if it is written. Whatever came from outside in it must have
    ///   been through ``escaped(_:limit:)``.
    public func callAsFunction(_ level: LogLevel, _ message: @autoclosure () -> String) {
        guard isEnabled(level) else { return }
        write(level, MessageLine(message()))
    }

    /// Writes lines as they are, whatever the level: the answer to a person's request. In JSON they
    /// are one object.
    public func announce(_ lines: String) {
        switch settings.format {
        case .json: write(.info, MessageLine(lines))
        case .text:
            if let onLine { return onLine(lines) }
            print(lines + "\n")
        }
    }

    /// Writes a text as it is, whatever level and format: lines, or a part of one.
    package func print(_ text: String) { put { $0.write(text: text) } }

    /// Closes the file and opens it again under its name, which another program may have moved
    /// away. From any thread. If that fails, the old file stays in use.
    public func reopen() {
        do throws(SystemError) {
            guard try output.withLock({ output throws(SystemError) in try output.reopen() }) else {
                return callAsFunction(.info, "the log is not a file: there is nothing to reopen")
            }
            callAsFunction(.info, "the log was reopened and continues here")
        } catch {
            callAsFunction(.error, "the log could not be reopened and continues here: \(error)")
        }
    }

    /// Writes a line with fields, whatever the level.
    package func write(_ level: LogLevel, _ line: some LogLine) {
        reportOmittedPeerEvents()
        put(level, line)
    }

    private func put(_ level: LogLevel, _ line: some LogLine) {
        guard let onLine else { return put { $0.write(level, line) } }
        var text = LineText(settings.format)
        text.write(level, .now(), line)
        onLine(text.text)
    }

    private func put(_ write: (inout LogOutput) -> Void) {
        let needsWriter = output.withLock { output in
            write(&output)
            return output.claimWriter()
        }
        if needsWriter { startWriter() }
    }
}

// MARK: - Special lines

extension Log {
    /// Whether a line about compression is written: these have a level of their own.
    package func isCompressionEnabled(_ level: LogLevel) -> Bool {
        level >= settings.compressionLevel
    }

    /// A line about what was agreed on or failed in compression (RFC 7692).
    package func compression(_ level: LogLevel, _ message: @autoclosure () -> String) {
        guard isCompressionEnabled(level) else { return }
        write(level, MessageLine(message()))
    }

    /// A connection that opened or closed.
    package func access(_ line: @autoclosure () -> AccessLine) {
        guard isEnabled(.info) else { return }
        write(.info, line())
    }

    /// A line that any peer can cause, as often as it likes: after some of a kind in one second the
    /// others are only counted.
    ///
    /// - Parameters:
    ///   - isAboutCompression: the level for these lines decides.
    ///   - message: made only if it is written.
    package func peerEvent(
        _ kind: PeerEvent, _ level: LogLevel, isAboutCompression: Bool = false,
        _ message: @autoclosure () -> String
    ) {
        guard isAboutCompression ? isCompressionEnabled(level) : isEnabled(level) else { return }
        guard admits(kind, level) else { return }
        put(level, MessageLine(message()))
    }

    /// A line with fields that any peer can cause.
    ///
    /// - Parameter line: made only if it is written.
    package func peerEvent<Line: LogLine>(
        _ kind: PeerEvent, _ level: LogLevel, line: @autoclosure () -> Line
    ) {
        guard isEnabled(level), admits(kind, level) else { return }
        put(level, line())
    }

    private func admits(_ kind: PeerEvent, _ level: LogLevel) -> Bool {
        reportOmittedPeerEvents()
        let now = MonotonicTime.current()
        return peerEventLimit.withLock { $0.admits(kind, level, at: now) }
    }

    /// A request for a page, a file or a script was answered.
    ///
    /// - Parameter line: made only if it is written.
    package func request(_ line: @autoclosure () -> AnswerLine) {
        guard isEnabled(settings.requestLevel) else { return }
        write(settings.requestLevel, line())
    }

    /// Logs how many lines about peers were left out, once the second in which they were is over.
    /// Called regularly by the server, and with each line that is written.
    package func reportOmittedPeerEvents() {
        let omitted = peerEventLimit.withLock { limit in
            limit.isEmpty ? [] : limit.takeDue(at: .current())
        }
        for line in omitted { put(line.level, line) }
    }
}
