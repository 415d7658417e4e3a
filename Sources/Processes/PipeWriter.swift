import EventLoop
import Glibc

/// Writes bytes into a pipe as fast as the other side takes them.
///
/// | phase    | event                                   | next     |
/// | -------- | --------------------------------------- | -------- |
/// | `open`   | ``end()``, and nothing waits            | `closed` |
/// | `open`   | ``end()``, and bytes wait               | `ending` |
/// | `ending` | the last byte is taken                  | `closed` |
/// | any      | the other side reads no more; `close()` | `closed` |
final class PipeWriter: EventSource {
    private enum Phase { case open, ending, closed }

    private let loop: Loop
    private var descriptor: FileDescriptor?
    private var phase = Phase.open
    /// What the pipe did not take yet. It is watched while there is some.
    private var queue: [UInt8] = []
    /// Before it, all is written.
    private var start = 0
    /// Called when all is written that waited, or never will be; may write more.
    private let onDrain: () -> Void

    init(
        _ descriptor: consuming FileDescriptor, on loop: Loop, onDrain: @escaping () -> Void = {}
    ) {
        self.loop = loop
        self.descriptor = consume descriptor
        self.onDrain = onDrain
    }

    /// Whether more may be written.
    var isOpen: Bool { phase == .open }

    var queuedByteCount: Int { queue.count - start }

    /// Writes, or keeps what the pipe does not take. Without effect unless it is open.
    func write(_ bytes: [UInt8]) {
        guard isOpen, !bytes.isEmpty else { return }
        guard queuedByteCount == 0 else { return queue += bytes }
        guard let count = put(bytes, from: 0) else { return close() }
        guard count < bytes.count else { return }
        queue = bytes
        start = count
        do { try descriptor?.watch(.writable, by: self, on: loop) } catch { close() }
    }

    /// Closes it once all is written.
    func end() {
        guard isOpen else { return }
        phase = .ending
        if queuedByteCount == 0 { close() }
    }

    /// - Returns: where the bytes begin that the pipe does not take now; `nil`: nobody reads.
    private func put(_ bytes: [UInt8], from start: Int) -> Int? {
        guard let fd = descriptor?.number else { return nil }
        var offset = start
        while offset < bytes.count {
            let count = bytes.withUnsafeBytes { bytes in
                Glibc.write(fd, bytes.baseAddress.map { $0 + offset }, bytes.count - offset)
            }
            if count >= 0 {
                offset += count
            } else if errno == EAGAIN {
                break
            } else if errno != EINTR {
                return nil  // EPIPE
            }
        }
        return offset
    }

    func ready(_ readiness: Readiness) {
        guard queuedByteCount > 0 else { return }
        if let offset = put(queue, from: start) {
            start = offset
            guard queuedByteCount == 0 else { return }
            forgetQueue()
            descriptor?.unwatch()
            if phase == .ending { close() }
        } else {
            close()
        }
        onDrain()
    }

    private func forgetQueue() {
        queue = []
        start = 0
    }

    func close() {
        phase = .closed
        forgetQueue()
        descriptor = nil
    }
}
