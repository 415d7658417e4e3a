import CLinux
import EventLoop
import Glibc

/// The two ends of a pipe, closed on exec; `ours` does not block.
struct PipeEnds: ~Copyable {
    var ours: FileDescriptor
    var theirs: FileDescriptor

    /// - Parameter weWrite: which end is ours.
    init(weWrite: Bool) throws(SystemError) {
        var ends: [Int32] = [-1, -1]
        try check("pipe2") { pipe2(&ends, O_CLOEXEC) }
        ours = FileDescriptor(ends[weWrite ? 1 : 0])
        theirs = FileDescriptor(ends[weWrite ? 0 : 1])
        _ = fcntl(ours.number, F_SETFL, O_NONBLOCK)
    }
}

/// Writes bytes into a pipe as fast as the other side takes them, then ends it.
final class PipeWriter: EventSource {
    private var descriptor: FileDescriptor?
    private let bytes: [UInt8]
    private var offset = 0

    init(
        _ descriptor: consuming FileDescriptor, _ bytes: [UInt8], on loop: Loop
    ) throws(SystemError) {
        self.descriptor = consume descriptor
        self.bytes = bytes
        try self.descriptor?.watch(.writable, by: self, on: loop)
        ready(.writable)
    }

    func ready(_ readiness: Readiness) {
        guard let fd = descriptor?.number else { return }
        while offset < bytes.count {
            let count = bytes[offset...].withUnsafeBytes {
                Glibc.write(fd, $0.baseAddress, $0.count)
            }
            if count >= 0 {
                offset += count
            } else if errno == EAGAIN {
                return
            } else if errno != EINTR {
                break  // nobody reads: EPIPE
            }
        }
        close()
    }

    func close() { descriptor = nil }
}

/// Reads a pipe to its end.
final class PipeReader: EventSource {
    private let loop: Loop
    private var descriptor: FileDescriptor?
    /// Gets what was read, `nil` at the end; may pause or close the reader.
    private let onBytes: (UnsafeRawBufferPointer?) -> Void
    private var isPaused = false
    var isClosed: Bool { descriptor == nil }

    init(
        _ descriptor: consuming FileDescriptor, on loop: Loop,
        onBytes: @escaping (UnsafeRawBufferPointer?) -> Void
    ) throws(SystemError) {
        self.loop = loop
        self.descriptor = consume descriptor
        self.onBytes = onBytes
        try self.descriptor?.watch(.readable, by: self, on: loop)
    }

    func ready(_ readiness: Readiness) { _ = readOnce() }

    /// - Returns: whether there was anything.
    private func readOnce() -> Bool {
        guard let fd = descriptor?.number, !isPaused else { return false }
        let buffer = loop.readBuffer
        let count = read(fd, buffer.baseAddress, buffer.count)
        if count > 0 {
            onBytes(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
            return true
        }
        if count < 0 && (errno == EAGAIN || errno == EINTR) { return false }
        end()
        return false
    }

    private func end() {
        guard !isClosed else { return }
        close()
        onBytes(nil)
    }

    /// Reads what is there now, then takes it for the end: the writer is gone, others may hold the
    /// pipe open. Not while paused: ``resume()`` goes on then.
    func finish() {
        while readOnce() {}
        if !isPaused { end() }
    }

    /// The loop no longer watches it at all: it would report the end again and again.
    func pause() {
        guard !isPaused else { return }
        isPaused = true
        descriptor?.unwatch()
    }

    func resume() {
        guard isPaused else { return }
        isPaused = false
        do { try descriptor?.watch(.readable, by: self, on: loop) } catch { end() }
    }

    func close() { descriptor = nil }
}
