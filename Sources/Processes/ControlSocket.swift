import EventLoop
import Glibc

/// One end of a connection between two processes: messages that stay whole, each with a descriptor
/// if need be, and notice of the other process's end, however it came.
public final class ControlSocket: EventSource {
    private let loop: Loop
    private var descriptor: FileDescriptor?
    private let onMessage: Receiver
    private let onEnd: () -> Void

    /// Gets each message, and the descriptor that came with it, which is closed on exec. If other
    /// descriptors came as well, they are closed; if they could not all be received, all are.
    public typealias Receiver = (_ text: String, _ descriptor: consuming FileDescriptor?) -> Void

    /// 64 KiB: what the kernel certainly takes in one piece, and the loop's buffer holds. Longer
    /// messages are not sent.
    public static let messageByteLimit = 65_536

    /// Two ends, closed on exec.
    public static func pair() throws(SystemError) -> (ours: Int32, theirs: Int32) {
        var ends: [Int32] = [-1, -1]
        let kind = Int32(SOCK_SEQPACKET.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue)
        try check("socketpair") { socketpair(AF_UNIX, kind, 0, &ends) }
        return (ends[0], ends[1])
    }

    /// - Parameters:
    ///   - fd: owned from now on, and closed if this throws.
    ///   - onEnd: called once, when the other process closed its end or is gone; not after
    ///     ``close()``.
    public init(
        _ fd: Int32, on loop: Loop, onMessage: @escaping Receiver,
        onEnd: @escaping () -> Void
    ) throws(SystemError) {
        descriptor = FileDescriptor(fd)
        self.loop = loop
        self.onMessage = onMessage
        self.onEnd = onEnd
        _ = fcntl(fd, F_SETFD, FD_CLOEXEC)
        try descriptor?.watch(.readable, by: self, on: loop)
    }

    /// - Parameter descriptor: the other side gets a duplicate; it stays the caller's.
    /// - Returns: whether it was sent: not if the other side is gone, or reads nothing, or it is
    ///   too long.
    @discardableResult
    public func send(_ message: String, descriptor: Int32? = nil) -> Bool {
        guard let fd = self.descriptor?.number else { return false }
        return Self.send(message, descriptors: [descriptor].compactMap(\.self), to: fd)
    }

    /// The same without a loop.
    @discardableResult
    public static func send(_ message: String, to fd: Int32) -> Bool {
        send(message, descriptors: [], to: fd)
    }

    static func send(_ message: String, descriptors: [Int32], to fd: Int32) -> Bool {
        var message = message
        return message.withUTF8 { bytes in
            guard !bytes.isEmpty, bytes.count <= messageByteLimit else { return false }
            return DescriptorPassing.send(UnsafeRawBufferPointer(bytes), descriptors, to: fd)
                == bytes.count
        }
    }

    public func ready(_ readiness: Readiness) {
        while let fd = descriptor?.number {
            let buffer = loop.readBuffer
            var received: FileDescriptor?
            let count = DescriptorPassing.receive(into: buffer, descriptor: &received, from: fd)
            if count > 0 {
                onMessage(String(decoding: buffer[..<count], as: UTF8.self), received.take())
            } else if count < 0 && errno == EINTR {
                continue
            } else if count < 0 && errno == EAGAIN {
                return
            } else {
                close()
                onEnd()
            }
        }
    }

    public func close() { descriptor = nil }
}
