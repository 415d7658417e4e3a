import Glibc

/// A lock on a folder, for whoever makes, replaces or removes files of sockets in it. It is that of
/// the folder itself, so that no file is left behind for it, and goes with this value.
package struct FolderLock: ~Copyable {
    private let folder: FileDescriptor

    /// A second in all. The lock is held for some microseconds.
    private static let attemptLimit = 100
    private static let pauseMicroseconds: useconds_t = 10_000

    /// - Parameter folder: open for reading.
    /// - Throws: `EWOULDBLOCK` if somebody else keeps the lock.
    package init(_ folder: consuming FileDescriptor) throws(SystemError) {
        self.folder = folder
        let number = self.folder.number
        for attempt in 1... {
            if flock(number, LOCK_EX | LOCK_NB) == 0 { break }
            guard errno == EWOULDBLOCK, attempt < Self.attemptLimit else {
                throw SystemError("flock")
            }
            usleep(Self.pauseMicroseconds)
        }
    }

    /// Locks the folder that a file lies in, or shall lie in.
    package init(besides path: String) throws(SystemError) {
        let folder = Self.folder(of: path)
        try self.init(
            try FileDescriptor("open(\(folder))") {
                open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
            })
    }

    /// `/run` of `/run/x.sock`; `.` where the path has no folder.
    package static func folder(of path: String) -> String {
        guard let slash = path.utf8.lastIndex(of: UInt8(ascii: "/")) else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }
}
