import Glibc

extension FileDescriptor {
    /// Connects to a socket of this machine without a loop.
    ///
    /// - Parameter path: of a Unix-domain socket.
    /// - Returns: a descriptor that is non-blocking.
    /// - Throws: `ENOENT` or `ECONNREFUSED` if nobody listens there, `EAGAIN` if too many others
    ///   wait to be accepted.
    package static func connected(to path: String) throws(SystemError) -> FileDescriptor {
        let address = try SocketAddress(path: path)
        let socket = try Socket.open(.unix)
        try check("connect") { address.withSockaddr { connect(socket.number, $0, $1) } }
        return socket
    }

    /// Connects to an address without a loop, and waits for that.
    ///
    /// - Returns: a descriptor that is non-blocking.
    /// - Throws: `ETIMEDOUT` after `timeout`.
    package static func connected(
        to address: SocketAddress, timeout: Duration
    ) throws(SystemError) -> FileDescriptor {
        let socket = try Socket.open(address.family)
        let result = address.withSockaddr { connect(socket.number, $0, $1) }
        guard result != 0 else { return socket }
        guard errno == EINPROGRESS else { throw SystemError("connect") }
        var entry = pollfd(fd: socket.number, events: Int16(POLLOUT), revents: 0)
        let milliseconds = Int32(clamping: timeout.wholeNanoseconds / 1_000_000)
        guard poll(&entry, 1, milliseconds) > 0 else {
            throw SystemError("connect", code: ETIMEDOUT)
        }
        if let code = Socket.takeError(socket.number) { throw SystemError("connect", code: code) }
        return socket
    }
}
