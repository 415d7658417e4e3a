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
}
