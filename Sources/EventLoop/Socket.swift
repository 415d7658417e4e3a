import Glibc

/// The calls on stream sockets that listeners, streams and clients share. Descriptors are
/// non-blocking and closed on exec.
enum Socket {
    static func open(_ family: SocketAddress.Family) throws(SystemError) -> FileDescriptor {
        let kind = Int32(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue)
        return try FileDescriptor("socket") { socket(family.domain, kind, 0) }
    }

    static func set(
        _ fd: Int32, level: Int32, _ option: Int32, _ value: Int32, _ name: String
    ) throws(SystemError) {
        var value = value
        try check("setsockopt(\(name))") {
            setsockopt(fd, level, option, &value, socklen_t(MemoryLayout<Int32>.size))
        }
    }

    /// Small frames leave at once instead of waiting for the answer to the last one.
    static func disableNagle(_ fd: Int32) {
        try? set(fd, level: Int32(IPPROTO_TCP), TCP_NODELAY, 1, "TCP_NODELAY")
    }

    /// The error that waits on a socket, such as why it could not connect.
    static func takeError(_ fd: Int32) -> Int32? {
        var code: Int32 = 0
        var byteCount = socklen_t(MemoryLayout<Int32>.size)
        guard getsockopt(fd, SOL_SOCKET, SO_ERROR, &code, &byteCount) == 0 else { return errno }
        return code == 0 ? nil : code
    }

    static func localAddress(_ fd: Int32) throws(SystemError) -> SocketAddress {
        try address("getsockname") { getsockname(fd, $0, &$1) }
    }

    static func peerAddress(_ fd: Int32) throws(SystemError) -> SocketAddress {
        try address("getpeername") { getpeername(fd, $0, &$1) }
    }

    private static func address(
        _ call: String, _ body: (UnsafeMutablePointer<sockaddr>, inout socklen_t) -> Int32
    ) throws(SystemError) -> SocketAddress {
        var storage = sockaddr_storage()
        var byteCount = socklen_t(MemoryLayout<sockaddr_storage>.size)
        try check(call) {
            withUnsafeMutablePointer(to: &storage) {
                $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { body($0, &byteCount) }
            }
        }
        guard let address = SocketAddress(storage, byteCount: Int(byteCount)) else {
            throw SystemError(call, code: EAFNOSUPPORT)
        }
        return address
    }

    /// A socket on an IPv4 or IPv6 address that listens; see ``Listener`` for taking connections
    /// from it.
    static func listen(
        at address: SocketAddress, backlog: Int32
    ) throws(SystemError) -> FileDescriptor {
        let socket = try open(address.family)
        try set(socket.number, level: SOL_SOCKET, SO_REUSEADDR, 1, "SO_REUSEADDR")
        if address.family == .ipv6 {
            // Or it would take the IPv4 address of the same port, which has a socket of its own.
            try set(socket.number, level: Int32(IPPROTO_IPV6), IPV6_V6ONLY, 1, "IPV6_V6ONLY")
        }
        disableNagle(socket.number)  // accepted sockets inherit it
        try bind(socket.number, to: address)
        try check("listen") { Glibc.listen(socket.number, backlog) }
        return socket
    }

    static func bind(_ fd: Int32, to address: SocketAddress) throws(SystemError) {
        try check("bind") { address.withSockaddr { Glibc.bind(fd, $0, $1) } }
    }

    /// The next connection that waits on a listening socket; throws `EAGAIN` when none does.
    static func accept(
        _ fd: Int32, localAddress: SocketAddress? = nil, listenerIndex: Int = 0
    ) throws(SystemError) -> AcceptedConnection {
        var storage = sockaddr_storage()
        var byteCount = socklen_t(MemoryLayout<sockaddr_storage>.size)
        let descriptor = try accept(fd, peer: &storage, &byteCount)
        guard let peer = SocketAddress(storage, byteCount: Int(byteCount)) else {
            throw SystemError("accept4", code: ECONNABORTED)
        }
        return AcceptedConnection(
            descriptor, peer: peer, localAddress: localAddress, listenerIndex: listenerIndex)
    }
}
