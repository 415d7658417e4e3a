import CLinux
import Glibc

/// The calls on TCP sockets that listeners, streams and clients share. Descriptors are non-blocking
/// and closed on exec.
enum Socket {
    static func open(_ family: SocketAddress.Family) throws(SystemError) -> Int32 {
        let domain = family == .ipv4 ? AF_INET : AF_INET6
        let kind = Int32(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue)
        return try check("socket") { socket(domain, kind, 0) }
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
        var storage = sockaddr_storage()
        var byteCount = socklen_t(MemoryLayout<sockaddr_storage>.size)
        try check("getsockname") {
            withUnsafeMutablePointer(to: &storage) {
                $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    getsockname(fd, $0, &byteCount)
                }
            }
        }
        guard let address = SocketAddress(storage) else {
            throw SystemError("getsockname", code: EAFNOSUPPORT)
        }
        return address
    }

    /// A socket that listens; see ``Listener`` for taking connections from it.
    static func listen(at address: SocketAddress, backlog: Int32) throws(SystemError) -> Int32 {
        let fd = try open(address.family)
        do throws(SystemError) {
            try set(fd, level: SOL_SOCKET, SO_REUSEADDR, 1, "SO_REUSEADDR")
            if address.family == .ipv6 {
                // Or it would take the IPv4 address of the same port, which has a socket of its
                // own.
                try set(fd, level: Int32(IPPROTO_IPV6), IPV6_V6ONLY, 1, "IPV6_V6ONLY")
            }
            disableNagle(fd)  // accepted sockets inherit it
            try check("bind") { address.withSockaddr { Glibc.bind(fd, $0, $1) } }
            try check("listen") { Glibc.listen(fd, backlog) }
        } catch {
            close(fd)
            throw error
        }
        return fd
    }

    /// The next connection that waits; throws `EAGAIN` when there is none.
    static func accept(_ fd: Int32) throws(SystemError) -> (fd: Int32, peer: SocketAddress) {
        var storage = sockaddr_storage()
        var byteCount = socklen_t(MemoryLayout<sockaddr_storage>.size)
        let accepted = try check("accept4") {
            withUnsafeMutablePointer(to: &storage) {
                $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    accept4(
                        fd, $0, &byteCount,
                        Int32(SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue))
                }
            }
        }
        guard let peer = SocketAddress(storage) else {
            close(accepted)
            throw SystemError("accept4", code: ECONNABORTED)
        }
        return (accepted, peer)
    }
}
