import EventLoop
import Glibc

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
