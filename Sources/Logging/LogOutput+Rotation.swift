import EventLoop
import Glibc

// `FILE` becomes `FILE.1`, that `FILE.2` and so on; the oldest is deleted.

extension LogOutput {
    /// Whether the file would be longer than its limit.
    func isFull(with moreByteCount: Int) -> Bool {
        settings.fileByteLimit > 0 && settings.fileCountLimit > 0 && byteCount >= 0
            && byteCount + moreByteCount > rotationMark
    }

    mutating func rotate() {
        guard let path else { return }
        do throws(SystemError) {
            // Another program may have moved the file already: then its successor stays as it is.
            if isNamed(path) { try shift(path) }
            _ = try reopen()
        } catch {
            // Once per limit, not with every line.
            rotationMark = byteCount + settings.fileByteLimit
            _ = send(.error, MessageLine("the log file could not be rotated: \(error)"))
        }
    }

    private func shift(_ path: String) throws(SystemError) {
        for number in stride(from: settings.fileCountLimit - 1, through: 1, by: -1) {
            // Most do not exist in the beginning; a gap does no harm.
            _ = rename("\(path).\(number)", "\(path).\(number + 1)")
        }
        guard rename(path, "\(path).1") == 0 else { throw SystemError("rename(\(path))") }
    }
}
