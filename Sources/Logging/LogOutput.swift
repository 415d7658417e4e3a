import EventLoop
import Glibc

/// Writes a log's lines: to a descriptor, or to a file that is rotated by size.
///
/// No failure here may stop the server, and no line may wait: lines that cannot be written are
/// counted, and a file that cannot be renamed stays in use.
///
/// | state | a line is | the next state |
/// |---|---|---|
/// | direct | written by whoever logs it | waiting, when the descriptor takes no more |
/// | waiting | added to the queue, which a thread writes | direct, when the queue is empty |
struct LogOutput: ~Copyable {
    let settings: LogSettings
    let path: String?
    /// Standard error, for instance; -1: there is a path.
    private let sharedNumber: Int32
    private let opensAgain: Bool
    private let isColored: Bool
    /// `nil` before the first line, if it is shared: most logs of a client write none.
    private var opened: LogDescriptor?
    /// The file's size; -1: not known, or not a file that can be rotated.
    var byteCount = -1
    /// The size at which the next attempt to rotate is made.
    var rotationMark: Int

    /// What happened to lines since it was last reported.
    private var lost = LostLines()
    /// What was written last is a part of a line.
    private var isInsideLine = false
    /// The last line, in memory that the next one uses.
    private var line: LineText

    private(set) var isWaiting = false
    private var hasWriter = false
    private var queue: LogQueue
    /// The piece begins with the end of a torn line, which is no line of its own.
    private var endsTornLine = false
    /// The last piece could not be written.
    private var hasFailed = false

    /// - Parameters:
    ///   - descriptor: stays open.
    ///   - opensAgain: see ``LogDescriptor``.
    init(_ settings: LogSettings, descriptor: Int32, opensAgain: Bool) {
        self.opensAgain = opensAgain
        self.settings = settings
        path = nil
        sharedNumber = descriptor
        rotationMark = settings.fileByteLimit
        queue = LogQueue(byteLimit: settings.queueByteLimit)
        isColored = LogLevel.areColored(on: descriptor)
        line = LineText(settings.format, isColored: isColored)
    }

    init(_ settings: LogSettings, path: String) throws(SystemError) {
        let file = try LogDescriptor(path: path)
        self.settings = settings
        self.path = path
        (sharedNumber, opensAgain) = (-1, false)
        opened = file
        rotationMark = settings.fileByteLimit
        queue = LogQueue(byteLimit: settings.queueByteLimit)
        isColored = false
        line = LineText(settings.format)
        byteCount = file.fileByteCount
    }

    private mutating func descriptor() -> LogDescriptor {
        if let opened { return opened }
        let new = LogDescriptor(sharing: sharedNumber, opensAgain: opensAgain)
        opened = new
        return new
    }

    var isNamedPipe: Bool { path != nil && opened?.isPipe == true }

    /// - Returns: false if there is no file.
    mutating func reopen() throws(SystemError) -> Bool {
        guard let path else { return false }
        let new = try LogDescriptor(path: path)
        opened = new
        byteCount = new.fileByteCount
        rotationMark = settings.fileByteLimit
        isInsideLine = false
        return true
    }

    /// What it writes to now; `nil`: still that.
    func replacement(of descriptor: LogDescriptor) -> LogDescriptor? {
        opened === descriptor ? nil : opened
    }

    func isNamed(_ path: String) -> Bool { opened?.isNamed(path) ?? false }
}

// MARK: - Writing

extension LogOutput {
    mutating func write(_ level: LogLevel, _ line: some LogLine) {
        self.line.write(level, .now(), line)
        self.line.append("\n")
        write(self.line.bytes)
    }

    /// Writes lines as they are.
    mutating func write(text: String) {
        var text = text
        text.withUTF8 { write(UnsafeRawBufferPointer($0)) }
    }

    private mutating func write(_ line: UnsafeRawBufferPointer) {
        if byteCount > 0 && isFull(with: line.count) { rotate() }
        if !endTornLine() || !reportLoss() || !send(line) { lost.count += 1 }
    }

    /// - Returns: false if a line was torn, and nothing can be written yet.
    private mutating func endTornLine() -> Bool {
        guard isInsideLine && !isWaiting else { return true }
        guard send("\n") else { return false }
        isInsideLine = false
        return true
    }

    /// - Returns: false if lines were lost and that cannot be written either.
    private mutating func reportLoss() -> Bool {
        guard lost.count > 0 else { return true }
        guard send(.error, lost) else { return false }
        lost.count = 0
        return true
    }

    /// Sends a line about the log itself, in memory of its own: another line may wait behind it.
    mutating func send(_ level: LogLevel, _ content: some LogLine) -> Bool {
        var line = LineText(settings.format, isColored: isColored)
        line.write(level, .now(), content)
        line.append("\n")
        return send(line.bytes)
    }

    private mutating func send(_ text: StaticString) -> Bool {
        text.withUTF8Buffer { send(UnsafeRawBufferPointer($0)) }
    }

    /// - Returns: false if not all of it could be written, or put into the queue.
    private mutating func send(_ bytes: UnsafeRawBufferPointer) -> Bool {
        var rest = bytes
        while !rest.isEmpty {
            if isWaiting { return wait(rest) }
            do throws(SystemError) {
                let count = try descriptor().write(rest)
                if byteCount >= 0 { byteCount += count }
                if count == 0 { (isWaiting, isInsideLine) = (true, rest.count < bytes.count) }
                rest = UnsafeRawBufferPointer(rebasing: rest[count...])
            } catch {
                lost.reason = .failed(error)
                isInsideLine = isInsideLine || rest.count < bytes.count
                return false
            }
        }
        isInsideLine = false
        return true
    }

    private mutating func wait(_ bytes: UnsafeRawBufferPointer) -> Bool {
        guard queue.append(bytes) else {
            lost.reason = .full
            return false
        }
        return true
    }
}

// MARK: - Waiting

extension LogOutput {
    var hasUnwrittenLines: Bool { !queue.isWritten }

    /// Whether the caller has to start the thread that writes the queue: true once, until that
    /// thread ends.
    mutating func claimWriter() -> Bool {
        guard isWaiting && !hasWriter else { return false }
        hasWriter = true
        return true
    }

    /// What the thread has to do next.
    enum WriterStep {
        case write([UInt8], LogDescriptor)
        /// Nothing is there, and lines would wait for a new thread if this one ended.
        case pause
        case end
    }

    /// - Parameter mayPause: for a descriptor that only the thread may write.
    mutating func nextStep(mayPause: Bool) -> WriterStep {
        // The next line may be long in coming. But a count that cannot be written is one more line
        // that is lost.
        if queue.isEmpty && !hasFailed { _ = reportLoss() }
        if var piece = queue.takePiece() {
            endsTornLine = isInsideLine && hasFailed
            if endsTornLine { piece.insert(UInt8(ascii: "\n"), at: 0) }
            return .write(piece, descriptor())
        }
        if mayPause && descriptor().isWrittenByThread { return .pause }
        (isWaiting, hasWriter, hasFailed) = (false, false, false)
        return .end
    }

    /// The thread has written its piece, or so many bytes of it, and lost the lines of the others.
    mutating func endPiece(
        writtenByteCount: Int, isInsideLine: Bool, lostLineCount: Int, _ error: SystemError?
    ) {
        queue.endPiece()
        if byteCount >= 0 { byteCount += writtenByteCount }
        if writtenByteCount > 0 { self.isInsideLine = isInsideLine }
        lost.count += lostLineCount - (endsTornLine && writtenByteCount == 0 ? 1 : 0)
        if let error { lost.reason = .failed(error) }
        hasFailed = error != nil
    }

    /// The thread cannot be started.
    mutating func giveUpWaiting(_ error: SystemError) {
        while let piece = queue.takePiece() { lost.count += piece.lineCount }
        queue.endPiece()
        lost.reason = .failed(error)
        (isWaiting, hasWriter) = (false, false)
    }
}

extension Collection<UInt8> {
    /// Its line ends.
    var lineCount: Int { count { $0 == UInt8(ascii: "\n") } }
}
