import EventLoop
import Glibc

/// What a log is written to, and how that is done without waiting.
///
/// `O_NONBLOCK` belongs to what the kernel calls an open file description, and the shell and other
/// programs share that of standard error. So it is never set on a descriptor that this process was
/// given: a pipe or a terminal is opened a second time.
///
/// | what it is | written |
/// |---|---|
/// | a regular file, `/dev/null` | as it is: neither keeps a writer waiting for a reader |
/// | a socket, as of systemd's journal | with `MSG_DONTWAIT` |
/// | a pipe or terminal | through a second descriptor with `O_NONBLOCK` |
/// | one that must not be opened again, as that of another user | only by a thread that may wait |
final class LogDescriptor: Sendable {
    private enum Way {
        case write
        case send
        case waiting
    }

    private let number: Int32
    private let way: Way
    /// What was opened here, and is closed with this.
    private let own: FileDescriptor?

    /// - Parameters:
    ///   - number: stays open, and stays as it is.
    ///   - opensAgain: false: as if that were not possible.
    init(sharing number: Int32, opensAgain: Bool = true) {
        let mode = Self.mode(number)
        guard mode == S_IFIFO || isatty(number) == 1 else {
            self.number = number
            way = mode == S_IFSOCK ? .send : .write
            own = nil
            return
        }
        let second = opensAgain ? open("/proc/self/fd/\(number)", Self.flags) : -1
        self.number = second < 0 ? number : second
        way = second < 0 ? .waiting : .write
        own = second < 0 ? nil : FileDescriptor(second)
    }

    /// Opens a file to append to, and creates it if necessary. Does not wait for the reader of a
    /// named pipe (FIFO): that is opened for reading too, so that the first lines are there when
    /// a reader comes.
    init(path: String) throws(SystemError) {
        var file = open(path, Self.flags | O_CREAT | O_APPEND, 0o644)
        // ENXIO: a FIFO without reader, or a socket, which cannot be opened this way either.
        if file < 0 ? errno == ENXIO : Self.mode(file) == S_IFIFO {
            let both = open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC)
            // With a reader there, a FIFO that this user may only write to will do.
            if both >= 0 || file < 0 {
                if file >= 0 { close(file) }
                file = both
            }
        }
        guard file >= 0 else { throw SystemError("open(\(path))") }
        number = file
        way = .write
        own = FileDescriptor(file)
    }

    private static let flags = O_WRONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY

    private static func mode(_ number: Int32) -> mode_t {
        var status = stat()
        return fstat(number, &status) == 0 ? status.st_mode & S_IFMT : 0
    }

    // MARK: - What it is

    var isPipe: Bool { Self.mode(number) == S_IFIFO }
    var isTerminal: Bool { isatty(number) == 1 }
    var isWrittenByThread: Bool { way == .waiting }

    /// -1 for anything but a regular file: a device must not be renamed.
    var fileByteCount: Int {
        var status = stat()
        guard fstat(number, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { return -1 }
        return Int(status.st_size)
    }

    /// Whether this is the file that has the name now.
    func isNamed(_ path: String) -> Bool {
        var (named, own) = (stat(), stat())
        guard stat(path, &named) == 0, fstat(number, &own) == 0 else { return false }
        return named.st_ino == own.st_ino && named.st_dev == own.st_dev
    }

    // MARK: - Writing

    /// - Returns: how many bytes were written; 0 if it takes none now.
    func write(_ bytes: UnsafeRawBufferPointer) throws(SystemError) -> Int {
        way == .waiting ? 0 : try writeOnce(bytes)
    }

    /// Waits until it takes some bytes, on a thread that may: for at most `milliseconds`, or as
    /// long as it takes if it is ``isWrittenByThread``.
    ///
    /// - Returns: how many bytes were written; 0 if the time is over.
    func write(
        _ bytes: UnsafeRawBufferPointer, waiting milliseconds: Int32
    ) throws(SystemError) -> Int {
        let count = try writeOnce(bytes)
        if count > 0 { return count }
        var readiness = pollfd(fd: number, events: Int16(POLLOUT), revents: 0)
        // An error is found out by writing again.
        return poll(&readiness, 1, milliseconds) == 0 ? 0 : try writeOnce(bytes)
    }

    private func writeOnce(_ bytes: UnsafeRawBufferPointer) throws(SystemError) -> Int {
        while true {
            let count =
                way == .send
                ? Glibc.send(
                    number, bytes.baseAddress, bytes.count, Int32(MSG_DONTWAIT | MSG_NOSIGNAL)
                )
                : Glibc.write(number, bytes.baseAddress, bytes.count)
            if count >= 0 { return count }
            switch errno {
            case EINTR: continue
            case EAGAIN: return 0
            default: throw SystemError("write")
            }
        }
    }
}
