import CLinux
import Glibc

extension FileDescriptor {
    /// The file at a path, for asking what it is: it is neither read nor written, and a link is not
    /// followed. While it is open, no other file gets its number (inode).
    static func pathOnly(_ path: String) throws(SystemError) -> FileDescriptor {
        try FileDescriptor("open") { open(path, linux_O_PATH | O_NOFOLLOW | O_CLOEXEC) }
    }
}
