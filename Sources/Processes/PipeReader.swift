import CLinux
import EventLoop
import Glibc

/// Reads a pipe to its end.
final class PipeReader: EventSource {
    private let loop: Loop
    private var descriptor: FileDescriptor?
    /// Gets what was read, `nil` at the end; may pause or close the reader.
    private let onBytes: (UnsafeRawBufferPointer?) -> Void
    private var isPaused = false
    /// How much is read until it is taken for the end; `nil`: up to the end itself.
    private var remainingByteCount: Int?
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
        let limit = min(buffer.count, remainingByteCount ?? .max)
        let count = limit == 0 ? 0 : read(fd, buffer.baseAddress, limit)
        if count > 0 {
            remainingByteCount? -= count
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
    /// pipe open and even write into it without an end. Not while paused: ``resume()`` and another
    /// call go on then.
    func finish() {
        if remainingByteCount == nil, let fd = descriptor?.number {
            var count: Int32 = 0
            _ = ioctl(fd, UInt(FIONREAD), &count)
            remainingByteCount = Int(max(0, count))
        }
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
