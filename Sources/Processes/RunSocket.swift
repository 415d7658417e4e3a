import EventLoop
import Glibc

/// A listening Unix-domain socket in a ``RunDirectory``, of mode 0600, named for the port of its
/// server: `9998.sock`.
///
/// A file that a killed server left there is replaced, and those of other ports are removed. One
/// that somebody listens on is not touched.
package struct RunSocket: Sendable {
    package let socket: ListeningSocket
    package let path: String
    private let folder: String
    /// As it was made: a later file may have its inode. `nil`: it was removed at once.
    private let file: FileStamp?

    /// Connections that may wait to be accepted.
    private static let backlog = 128
    private static let mode: mode_t = 0o600

    /// - Parameter folder: made if need be.
    package init(in folder: String, port: UInt16) throws(RunSocketError) {
        let path = RunDirectory.socketPath(in: folder, port: port)
        socket = try Self.locked(folder) { () throws(RunSocketError) in
            Self.removeAbandoned(in: folder)
            do throws(SystemError) {
                return try ListeningSocket(
                    at: try SocketAddress(path: path), backlog: Self.backlog, mode: Self.mode)
            } catch {
                if error.code == EADDRINUSE { throw .inUse(path) }
                throw .system(path, error)
            }
        }
        self.path = path
        self.folder = folder
        file = FileStamp(path)
    }

    /// Removes the file, unless another server's has taken its place. The socket stays.
    package func remove() {
        try? Self.locked(folder) { () throws(RunSocketError) in
            if let file, FileStamp(path) == file { unlink(path) }
        }
    }

    /// Removes the file and closes the socket, of which other processes may have duplicates.
    package func close() {
        remove()
        socket.close()
    }

    /// Nobody makes one at this moment, between its file and listening on it: that takes the lock.
    private static func removeAbandoned(in folder: String) {
        for port in RunDirectory.ports(in: folder) {
            let path = RunDirectory.socketPath(in: folder, port: port)
            guard let address = try? SocketAddress(path: path),
                ListeningSocket.isAbandoned(address)
            else { continue }
            unlink(path)
        }
    }

    /// Between looking at a file and replacing it nobody else may do the same. The lock is that of
    /// the folder itself, so that no file is left behind for it.
    private static func locked<Value>(
        _ folder: String, _ body: () throws(RunSocketError) -> Value
    ) throws(RunSocketError) -> Value {
        let descriptor: FileDescriptor
        do throws(RunDirectoryError) {
            descriptor = try RunDirectory.prepare(folder)
        } catch {
            throw .directory(error)
        }
        // It goes with the descriptor.
        for attempt in 1... {
            if flock(descriptor.number, LOCK_EX | LOCK_NB) == 0 { break }
            guard errno == EWOULDBLOCK, attempt < lockAttemptLimit else {
                throw .system(folder, SystemError("flock"))
            }
            usleep(lockPauseMicroseconds)
        }
        return try body()
    }

    /// A second in all. The lock is held for some microseconds.
    private static let lockAttemptLimit = 100
    private static let lockPauseMicroseconds: useconds_t = 10_000
}

/// Why a server has no socket in its run directory.
package enum RunSocketError: Error, Equatable, CustomStringConvertible {
    case directory(RunDirectoryError)
    case inUse(String)
    case system(String, SystemError)

    package var description: String {
        switch self {
        case .directory(let error): "\(error)"
        case .inUse(let path): "another server listens on \(path)"
        case .system(let path, let error): "\(path): \(error)"
        }
    }
}
