import EventLoop
import Glibc

/// Writes a log's lines: to a descriptor, or to a file that is rotated by size.
///
/// `FILE` becomes `FILE.1`, that `FILE.2` and so on; the oldest is deleted. No failure here may
/// stop the server: lines that cannot be written are counted, and a file that cannot be renamed
/// stays in use.
struct LogOutput: ~Copyable {
    private let settings: LogSettings
    private var descriptor: Int32
    private let path: String?
    /// The file's size; -1: not known, or not a file that can be rotated.
    private var byteCount = -1
    /// The size at which the next attempt to rotate is made.
    private var rotationMark: Int

    private var lostLineCount = 0
    private var lossReason: SystemError?
    /// The last write stopped inside a line.
    private var isInsideLine = false
    /// The last line, in memory that the next one uses.
    private var line: LineText

    /// - Parameter descriptor: stays open.
    init(_ settings: LogSettings, descriptor: Int32) {
        self.settings = settings
        self.descriptor = descriptor
        path = nil
        rotationMark = settings.fileByteLimit
        line = LineText(settings.format)
    }

    init(_ settings: LogSettings, path: String) throws(SystemError) {
        self.settings = settings
        descriptor = try Self.open(path)
        self.path = path
        rotationMark = settings.fileByteLimit
        line = LineText(settings.format)
        byteCount = Self.fileByteCount(descriptor)
    }

    deinit {
        if path != nil { close(descriptor) }
    }

    private static func open(_ path: String) throws(SystemError) -> Int32 {
        let descriptor = Glibc.open(
            path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOCTTY, 0o644)
        guard descriptor >= 0 else { throw SystemError("open(\(path))") }
        return descriptor
    }

    /// - Returns: -1 for anything but a regular file: a device must not be renamed.
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
        byteCount = Self.fileByteCount(new)
        rotationMark = settings.fileByteLimit
        isInsideLine = false
        return true
    }
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
        if (isInsideLine && !send("\n")) || !reportLoss() || !send(line) { lostLineCount += 1 }
    }

    /// - Returns: false if lines were lost and that cannot be written either.
    private mutating func reportLoss() -> Bool {
        guard lostLineCount > 0 else { return true }
        let reason = lossReason.map { ": \($0)" } ?? ""
        guard send(error: "\(lostLineCount) log lines before this were lost\(reason)") else {
            return false
        }
        lostLineCount = 0
        return true
    }

    /// Sends a line about the log itself, in memory of its own: another line may wait behind it.
    private mutating func send(error message: String) -> Bool {
        var line = LineText(settings.format)
        line.write(.error, .now(), MessageLine(message))
        line.append("\n")
        return send(line.bytes)
    }

    private mutating func send(_ text: StaticString) -> Bool {
        text.withUTF8Buffer { send(UnsafeRawBufferPointer($0)) }
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
    /// Whether the file would be longer than its limit.
    private func isFull(with moreByteCount: Int) -> Bool {
        settings.fileByteLimit > 0 && settings.fileCountLimit > 0 && byteCount >= 0
            && byteCount + moreByteCount > rotationMark
    }

    private mutating func rotate() {
        guard let path else { return }
        do throws(SystemError) {
            // Another program may have moved the file already: then its successor stays as it is.
            if isStillNamed(path) { try shift(path) }
            _ = try reopen()
        } catch {
            // Once per limit, not with every line.
            rotationMark = byteCount + settings.fileByteLimit
            _ = send(error: "the log file could not be rotated: \(error)")
        }
    }

    private func isStillNamed(_ path: String) -> Bool {
        var (named, own) = (stat(), stat())
        guard stat(path, &named) == 0, fstat(descriptor, &own) == 0 else { return false }
        return named.st_ino == own.st_ino && named.st_dev == own.st_dev
    }

    private func shift(_ path: String) throws(SystemError) {
        for number in stride(from: settings.fileCountLimit - 1, through: 1, by: -1) {
            // Most do not exist in the beginning; a gap does no harm.
            _ = rename("\(path).\(number)", "\(path).\(number + 1)")
        }
        guard rename(path, "\(path).1") == 0 else { throw SystemError("rename(\(path))") }
    }
}
