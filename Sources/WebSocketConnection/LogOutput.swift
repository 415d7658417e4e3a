import EventLoop
import Glibc
import Synchronization

/// Where a log's bytes go: a descriptor, or a file that is rotated by size.
///
/// `FILE` becomes `FILE.1`, that `FILE.2` and so on; the oldest is gone. Nothing here may take the
/// server along: what cannot be written is counted, what cannot be renamed is written on.
struct LogOutput: ~Copyable {
    private var descriptor: Int32
    private let path: String?
    private let byteLimit: Int
    private let countLimit: Int
    /// Of the file; -1: not known, or no file that could be rotated.
    private var byteCount = -1
    /// Where the next attempt to rotate is made.
    private var rotationMark: Int

    private var lostLineCount = 0
    private var lossReason: SystemError?
    /// The last write stopped inside a line.
    private var isInsideLine = false
    /// The last line about a connection, in memory that the next one uses.
    private var accessText = LineText()
    /// Lines that are written later; `nil`: each is written at once.
    let pending: PendingLines?

    /// - Parameter descriptor: stays open.
    init(descriptor: Int32, joinsConnectionLines: Bool = false) {
        self.descriptor = descriptor
        pending = Self.pending(descriptor, joinsConnectionLines)
        path = nil
        (byteLimit, countLimit, rotationMark) = (0, 0, 0)
    }

    init(
        path: String, byteLimit: Int, countLimit: Int, joinsConnectionLines: Bool = false
    ) throws(SystemError) {
        descriptor = try Self.open(path)
        pending = Self.pending(descriptor, joinsConnectionLines)
        self.path = path
        self.byteLimit = byteLimit
        self.countLimit = countLimit
        rotationMark = byteLimit
        byteCount = Self.fileByteCount(descriptor)
    }

    deinit {
        if let pending {
            _ = Glibc.write(descriptor, pending.bytes.baseAddress, pending.bytes.count)
            pending.removeAll()
        }
        if path != nil { close(descriptor) }
    }

    /// None for a terminal: who looks at one sees lines in their order with what handlers print.
    private static func pending(_ descriptor: Int32, _ joinsConnectionLines: Bool) -> PendingLines?
    {
        guard joinsConnectionLines, isatty(descriptor) == 0 else { return nil }
        let pending = PendingLines(descriptor: descriptor)
        CrashSignals.tell(pending)
        return pending
    }

    private static func open(_ path: String) throws(SystemError) -> Int32 {
        let descriptor = Glibc.open(
            path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOCTTY, 0o644)
        guard descriptor >= 0 else { throw SystemError("open(\(path))") }
        return descriptor
    }

    /// - Returns: -1 for what is no regular file: a device must not be renamed.
    private static func fileByteCount(_ descriptor: Int32) -> Int {
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { return -1 }
        return Int(status.st_size)
    }

    /// - Returns: false if there is no file.
    mutating func reopen() throws(SystemError) -> Bool {
        guard let path else { return false }
        let new = try Self.open(path)
        close(descriptor)
        descriptor = new
        pending?.descriptor.store(new, ordering: .relaxed)
        byteCount = Self.fileByteCount(new)
        rotationMark = byteLimit
        isInsideLine = false
        return true
    }
}

// MARK: - Writing

extension LogOutput {
    /// Writes a line that ends with a line feed, behind those that wait.
    ///
    /// - Parameter format: of the lines that this adds about itself.
    mutating func write(_ line: UnsafeRawBufferPointer, format: LogFormat) {
        flush(format: format)
        write(line, lineCount: 1, format)
    }

    /// Writes a line about a connection: later, if it may wait.
    mutating func writeSoon(_ line: UnsafeRawBufferPointer, format: LogFormat) {
        guard let pending else { return write(line, format: format) }
        if isFull(with: pending.bytes.count + line.count) { flush(format: format) }
        if pending.append(line) { return }
        flush(format: format)
        if !pending.append(line) { write(line, lineCount: 1, format) }
    }

    /// The same in ``LogFormat/text``.
    mutating func writeSoon(_ line: AccessLine, _ moment: LogMoment) {
        accessText.begin(.info, moment)
        line.append(to: &accessText)
        accessText.append("\n")
        writeSoon(accessText.bytes, format: .text)
    }

    /// Writes the lines that wait.
    mutating func flush(format: LogFormat) {
        guard let pending, !pending.isEmpty else { return }
        write(pending.bytes, lineCount: pending.lineCount, format)
        pending.removeAll()
    }

    private mutating func write(
        _ lines: UnsafeRawBufferPointer, lineCount: Int, _ format: LogFormat
    ) {
        if byteCount > 0 && isFull(with: lines.count) { rotate(format) }
        if isInsideLine, !send("\n") { return noteLoss(lineCount) }
        if lostLineCount > 0 {
            let reason = lossReason.map { ": \($0)" } ?? ""
            let text = "\(lostLineCount) log lines before this were lost\(reason)"
            guard send(format.line(.error, text, [], .now())) else { return noteLoss(lineCount) }
            lostLineCount = 0
        }
        if !send(lines) { noteLoss(lineCount) }
    }

    /// Whether the file would be longer than it may be.
    private func isFull(with moreByteCount: Int) -> Bool {
        byteLimit > 0 && countLimit > 0 && byteCount >= 0
            && byteCount + moreByteCount > rotationMark
    }

    private mutating func noteLoss(_ lineCount: Int) { lostLineCount += lineCount }

    private mutating func send(_ text: String) -> Bool {
        var text = text
        return text.withUTF8 { send(UnsafeRawBufferPointer($0)) }
    }

    /// - Returns: false if not all of it could be written.
    private mutating func send(_ bytes: UnsafeRawBufferPointer) -> Bool {
        var rest = bytes
        while !rest.isEmpty {
            let count = Glibc.write(descriptor, rest.baseAddress, rest.count)
            if count < 0 && errno == EINTR { continue }
            if count <= 0 {
                lossReason = SystemError("write")
                isInsideLine = isInsideLine || rest.count < bytes.count
                return false
            }
            if byteCount >= 0 { byteCount += count }
            rest = UnsafeRawBufferPointer(rebasing: rest[count...])
        }
        isInsideLine = false
        return true
    }
}

// MARK: - Rotation

extension LogOutput {
    private mutating func rotate(_ format: LogFormat) {
        guard let path else { return }
        do throws(SystemError) {
            // Somebody else may have moved the file already: then its successor is left alone.
            if isStillNamed(path) { try shift(path) }
            _ = try reopen()
        } catch {
            // Once per `byteLimit`, not with every line.
            rotationMark = byteCount + byteLimit
            _ = send(format.line(.error, "the log file could not be rotated: \(error)", [], .now()))
        }
    }

    private func isStillNamed(_ path: String) -> Bool {
        var (named, own) = (stat(), stat())
        guard stat(path, &named) == 0, fstat(descriptor, &own) == 0 else { return false }
        return named.st_ino == own.st_ino && named.st_dev == own.st_dev
    }

    private func shift(_ path: String) throws(SystemError) {
        for number in stride(from: countLimit - 1, through: 1, by: -1) {
            // Most are not there in the beginning; a gap is no harm.
            _ = rename("\(path).\(number)", "\(path).\(number + 1)")
        }
        guard rename(path, "\(path).1") == 0 else { throw SystemError("rename(\(path))") }
    }
}
