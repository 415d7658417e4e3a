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

    /// The file of a Unix-domain address, of who made it: it outlives the socket. `nil` for other
    /// addresses, and where another process or another value looks after it.
    package private(set) var file: SocketFile?

    /// Listens. The file of a Unix-domain address is made, and stays until ``removeFile()``; one
    /// that nobody listens on any more is replaced.
    ///
    /// - Parameters:
    ///   - backlog: connections that may wait to be accepted; the kernel caps it.
    ///   - mode: the rights of the file of a Unix-domain address; `nil`: all that the umask leaves.
    /// - Throws: for a Unix-domain address, `EADDRINUSE` if somebody listens there, and `ENOTSOCK`
    ///   if there is a file of another kind.
    public init(
        at address: SocketAddress, backlog: Int, mode: UInt32? = nil
    ) throws(SystemError) {
        if address.family == .unix {
            try self.init(
                at: address, backlog: backlog, mode: mode,
                holding: try FolderLock(besides: address.host))
        } else {
            let socket = try Socket.listen(at: address, backlog: Int32(clamping: backlog))
            let address = try Socket.localAddress(socket.number)
            self.init(descriptor: socket.release(), address: address)
        }
    }

    /// The same with the lock of the folder held already.
    package init(
        at address: SocketAddress, backlog: Int, mode: UInt32?,
        holding lock: borrowing FolderLock
    ) throws(SystemError) {
        let socket = try Socket.open(.unix)
        let file = try SocketFile(
            of: socket.number, at: address, backlog: Int32(clamping: backlog), mode: mode,
            holding: lock)
        self.init(descriptor: socket.release(), address: address)
        self.file = file
    }

    /// A descriptor that listens already, from another process.
    public init(adopting descriptor: Int32) throws(SystemError) {
        self.descriptor = descriptor
        address = try Socket.localAddress(descriptor)
        _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
        if address.family != .unix { Socket.disableNagle(descriptor) }
    }

    /// The same socket once more: connections that wait are accepted by whoever comes first.
    public func duplicate() throws(SystemError) -> ListeningSocket {
        let descriptor = descriptor
        let copy = try FileDescriptor("fcntl") { fcntl(descriptor, F_DUPFD_CLOEXEC, 0) }
        return ListeningSocket(
            descriptor: copy.release(), address: address, listenerIndex: listenerIndex)
    }

    private init(descriptor: Int32, address: SocketAddress, listenerIndex: Int = 0) {
        self.descriptor = descriptor
        self.address = address
        self.listenerIndex = listenerIndex
    }

    /// Removes the file of a Unix-domain address that this value made, unless another one has taken
    /// its place. The socket goes on to listen, without being found.
    public func removeFile() { file?.remove() }

    /// For a socket that no ``Listener`` took over. Its file stays.
    public func close() { Glibc.close(descriptor) }

    /// Removes its file and closes it, of which other processes may have duplicates.
    package func end() {
        removeFile()
        close()
    }
}
