import CLinux
import EventLoop
import Glibc

/// The two ends of a pipe, closed on exec; `ours` does not block.
struct PipeEnds {
    let ours: Int32
    let theirs: Int32

    /// - Parameter weWrite: which end is ours.
    init(weWrite: Bool) throws(SystemError) {
        var ends: [Int32] = [-1, -1]
        try check("pipe2") { pipe2(&ends, O_CLOEXEC) }
        (ours, theirs) = weWrite ? (ends[1], ends[0]) : (ends[0], ends[1])
        _ = fcntl(ours, F_SETFL, O_NONBLOCK)
    }

    func close() {
        Glibc.close(ours)
        Glibc.close(theirs)
    }
}

/// Writes bytes into a pipe as fast as the other side takes them, then ends it.
final class PipeWriter: EventSource {
    private let loop: Loop
    private let fd: Int32
    private let bytes: [UInt8]
    private var offset = 0
    private var isClosed = false

    /// Takes over the descriptor.
    init(_ fd: Int32, _ bytes: [UInt8], on loop: Loop) throws(SystemError) {
        self.fd = fd
        self.bytes = bytes
        self.loop = loop
        do {
            try loop.add(fd, .writable, self)
        } catch {
            Glibc.close(fd)
            throw error
        }
        ready(.writable)
    }

    func ready(_ readiness: Readiness) {
        while !isClosed && offset < bytes.count {
            let count = bytes[offset...].withUnsafeBytes {
                Glibc.write(fd, $0.baseAddress, $0.count)
            }
            if count >= 0 {
                offset += count
            } else if errno == EAGAIN {
                return
            } else if errno != EINTR {
                return close()  // nobody reads: EPIPE
            }
        }
        close()
    }

    func close() {
        guard !isClosed else { return }
        isClosed = true
        loop.remove(fd)
        Glibc.close(fd)
    }
}

/// Reads a pipe to its end.
final class PipeReader: EventSource {
    private let loop: Loop
    private let fd: Int32
    /// Gets what was read, `nil` at the end; may pause or close the reader.
    private let onBytes: (UnsafeRawBufferPointer?) -> Void
    private var isPaused = false
    private(set) var isClosed = false

    /// Takes over the descriptor.
    init(
        _ fd: Int32, on loop: Loop, onBytes: @escaping (UnsafeRawBufferPointer?) -> Void
    ) throws(SystemError) {
        self.fd = fd
        self.loop = loop
        self.onBytes = onBytes
        do {
            try loop.add(fd, .readable, self)
        } catch {
            Glibc.close(fd)
            throw error
        }
    }

    func ready(_ readiness: Readiness) { _ = readOnce() }

    /// - Returns: whether there was anything.
    private func readOnce() -> Bool {
        guard !isClosed, !isPaused else { return false }
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
        guard !isPaused, !isClosed else { return }
        isPaused = true
        loop.remove(fd)
    }

    func resume() {
        guard isPaused, !isClosed else { return }
        isPaused = false
        do { try loop.add(fd, .readable, self) } catch { end() }
    }

    func close() {
        guard !isClosed else { return }
        isClosed = true
        if !isPaused { loop.remove(fd) }
        Glibc.close(fd)
    }
}
