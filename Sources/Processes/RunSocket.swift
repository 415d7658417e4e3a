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

    /// Connections that may wait to be accepted.
    private static let backlog = 128
    private static let mode: mode_t = 0o600

    /// - Parameter folder: made if need be.
    package init(in folder: String, port: UInt16) throws(RunSocketError) {
        let path = RunDirectory.socketPath(in: folder, port: port)
        let lock = try Self.lock(folder)
        Self.removeAbandoned(in: folder)
        do throws(SystemError) {
            socket = try ListeningSocket(
                at: try SocketAddress(path: path), backlog: Self.backlog, mode: Self.mode,
                holding: lock)
        } catch {
            if error.code == EADDRINUSE { throw .inUse(path) }
            throw .system(path, error)
        }
        self.path = path
    }

    /// Removes the file, unless another server's has taken its place. The socket stays.
    package func remove() { socket.removeFile() }

    /// Removes the file and closes the socket, of which other processes may have duplicates.
    package func close() { socket.end() }

    /// Nobody makes one at this moment, between its file and listening on it: that takes the lock.
    private static func removeAbandoned(in folder: String) {
        for port in RunDirectory.ports(in: folder) {
            let path = RunDirectory.socketPath(in: folder, port: port)
            guard let address = try? SocketAddress(path: path),
                (try? SocketFile.isAbandoned(address)) == true
            else { continue }
            unlink(path)
        }
    }

    private static func lock(_ folder: String) throws(RunSocketError) -> FolderLock {
        let descriptor: FileDescriptor
        do throws(RunDirectoryError) {
            descriptor = try RunDirectory.prepare(folder)
        } catch {
            throw .directory(error)
        }
        do throws(SystemError) {
            return try FolderLock(descriptor)
        } catch {
            throw .system(folder, error)
        }
    }
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
