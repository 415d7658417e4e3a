import Glibc

/// A bound socket that is not yet watched by a loop.
public struct ListeningSocket: Sendable {
    /// To give it to another process (`ProcessLaunch.descriptors`).
    public let descriptor: Int32
    /// With the port that the kernel chose where 0 was asked for.
    public let address: SocketAddress
    /// Which of a server's listeners it is one of: each has settings of its own.
    public var listenerIndex = 0

    /// This end of what it accepts; `nil` if it listens on every address of the machine, so that
    /// only the kernel knows.
    public var addressOfAccepted: SocketAddress? { address.isUnspecified ? nil : address }

    /// Listens. The file of a Unix-domain address is made, and stays when the socket is closed; one
    /// that nobody listens on any more is replaced.
    ///
    /// - Parameters:
    ///   - backlog: connections that may wait to be accepted; the kernel caps it.
    ///   - mode: the most rights that the file of a Unix-domain address gets; `nil`: all that the
    ///     umask leaves.
    public init(
        at address: SocketAddress, backlog: Int, mode: UInt32? = nil
    ) throws(SystemError) {
        let socket = try Socket.listen(
            at: address, backlog: Int32(clamping: backlog), mode: mode)
        self.address = try Socket.localAddress(socket.number)
        descriptor = socket.release()
    }

    /// A descriptor that listens already, from another process.
    public init(adopting descriptor: Int32) throws(SystemError) {
        self.descriptor = descriptor
        address = try Socket.localAddress(descriptor)
        _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
    }

    /// The same socket once more: connections that wait are accepted by whoever comes first.
    public func duplicate() throws(SystemError) -> ListeningSocket {
        let descriptor = descriptor
        let copy = try FileDescriptor("fcntl") { fcntl(descriptor, F_DUPFD_CLOEXEC, 0) }
        return ListeningSocket(
            descriptor: copy.release(), address: address, listenerIndex: listenerIndex)
    }

    private init(descriptor: Int32, address: SocketAddress, listenerIndex: Int) {
        self.descriptor = descriptor
        self.address = address
        self.listenerIndex = listenerIndex
    }

    /// Whether the file of a Unix-domain address is a socket that nobody listens on: a program left
    /// it that was killed, or one that is about to listen.
    package static func isAbandoned(_ address: SocketAddress) -> Bool {
        (try? Socket.isAbandoned(address)) ?? false
    }

    /// For a socket that no ``Listener`` took over.
    public func close() { Glibc.close(descriptor) }
}
