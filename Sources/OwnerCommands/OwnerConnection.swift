import EventLoop
import Glibc

/// A connection to the server, non-blocking.
struct OwnerConnection: ~Copyable {
    private let descriptor: FileDescriptor

    init(_ descriptor: consuming FileDescriptor) { self.descriptor = descriptor }

    /// For `poll`.
    var number: Int32 { descriptor.number }

    enum Received {
        /// So many bytes are in the buffer.
        case bytes(Int)
        case nothing
        /// Nothing more comes.
        case end
    }

    /// - Returns: how many bytes the socket took. 0 also if the connection is broken: reading shows
    ///   that, after what the server sent before.
    func send(_ bytes: [UInt8]) -> Int {
        while true {
            let count = Glibc.send(descriptor.number, bytes, bytes.count, Int32(MSG_NOSIGNAL))
            if count < 0 && errno == EINTR { continue }
            return max(0, count)
        }
    }

    func receive(into buffer: UnsafeMutableRawBufferPointer) -> Received {
        while true {
            let count = recv(descriptor.number, buffer.baseAddress, buffer.count, 0)
            if count > 0 { return .bytes(count) }
            if count == 0 { return .end }
            if errno == EINTR { continue }
            return errno == EAGAIN ? .nothing : .end
        }
    }

    /// - Returns: false once the time is over.
    func waitForBytes(until end: MonotonicTime) -> Bool {
        while true {
            let rest = end - .current()
            guard rest > .zero else { return false }
            var entry = pollfd(fd: number, events: Int16(POLLIN), revents: 0)
            let milliseconds = Int32(clamping: rest.wholeNanoseconds / 1_000_000 + 1)
            let count = poll(&entry, 1, milliseconds)
            if count > 0 { return true }
            if count < 0 && errno != EINTR { return false }
        }
    }
}
