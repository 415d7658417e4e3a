import Glibc

/// The file by which clients find a listening Unix-domain socket.
///
/// One that a killed server left is replaced, and one that somebody listens on is not. Between
/// looking at a file and replacing or removing it nobody else may do the same: all that is done
/// with a ``FolderLock`` held.
package final class SocketFile: Sendable {
    package let path: String
    /// The file itself, wherever its name leads by now. While this is open no other file can get
    /// its number, by which the two are told apart.
    private let file: FileDescriptor

    /// Makes the file of a socket, and has the socket listen: a file whose socket does not listen
    /// yet looks like one that was left behind.
    ///
    /// - Parameters:
    ///   - address: a path.
    ///   - mode: the rights of the file; `nil`: all that the umask leaves.
    /// - Throws: `EADDRINUSE` if somebody listens there, `ENOTSOCK` if a file of another kind is in
    ///   the way, and what the system says of its folder.
    init(
        of socket: Int32, at address: SocketAddress, backlog: Int32, mode: mode_t?,
        holding lock: borrowing FolderLock
    ) throws(SystemError) {
        let path = address.host
        self.path = path
        // Linux gives the file the mode of its socket, less the umask, which is all threads' and
        // stays as it is. So at no moment has anybody rights that he shall not have.
        if let mode { try check("fchmod") { fchmod(socket, mode) } }
        do throws(SystemError) {
            try Socket.bind(socket, to: address)
        } catch {
            guard error.code == EADDRINUSE else { throw error }
            try Self.removeAbandoned(address)
            try Socket.bind(socket, to: address)
        }
        do throws(SystemError) {
            file = try .pathOnly(path)
            // The rights that the umask has withheld. Nobody is refused for want of them: the
            // socket does not listen yet.
            if let mode {
                try check("chmod") { fchmodat(AT_FDCWD, path, mode, AT_SYMLINK_NOFOLLOW) }
            }
            try check("listen") { listen(socket, backlog) }
        } catch {
            unlink(path)
            throw error
        }
    }

    private static func removeAbandoned(_ address: SocketAddress) throws(SystemError) {
        guard isSocket(address.host) else { throw SystemError("bind", code: ENOTSOCK) }
        guard try isAbandoned(address) else { throw SystemError("bind", code: EADDRINUSE) }
        try check("unlink") { unlink(address.host) }
    }

    private static func isSocket(_ path: String) -> Bool {
        var status = stat()
        return lstat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFSOCK
    }

    /// Whether a file is a socket that nobody listens on: a program left it that was killed, or one
    /// that is about to listen and holds the lock of the folder.
    package static func isAbandoned(_ address: SocketAddress) throws(SystemError) -> Bool {
        // Connecting to any other file is refused too.
        guard isSocket(address.host) else { return false }
        let probe = try Socket.open(.unix)
        return address.withSockaddr { connect(probe.number, $0, $1) } != 0
            && errno == ECONNREFUSED
    }

    /// Removes the file, unless another one has taken its place. The socket stays as it is.
    package func remove() {
        guard let lock = try? FolderLock(besides: path) else { return }
        remove(holding: lock)
    }

    package func remove(holding lock: borrowing FolderLock) {
        var (own, present) = (stat(), stat())
        guard fstat(file.number, &own) == 0, lstat(path, &present) == 0,
            own.st_ino == present.st_ino, own.st_dev == present.st_dev
        else { return }
        unlink(path)
    }
}
