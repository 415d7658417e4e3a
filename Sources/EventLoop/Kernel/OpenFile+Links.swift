import CLinux
import Glibc

extension OpenFile {
    /// Opens what lies in this folder, if no link is on the way.
    ///
    /// - Parameter path: relative, without `..`.
    /// - Throws: `ELOOP` if there is a link; the caller may then ask ``openThroughLinks(_:)``. Also
    ///   where the kernel cannot do this (before 5.6, or forbidden in a container).
    public func openWithoutLinks(_ path: String) throws(SystemError) -> OpenFile {
        let flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY
        let resolve = RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS | RESOLVE_BENEATH
        while true {
            let file = linux_openat2(fd, path, UInt(flags), UInt(resolve))
            if file >= 0 { return try OpenFile(FileDescriptor(file)) }
            switch errno {
            case EINTR, EAGAIN: continue
            case ENOSYS, EPERM, E2BIG: throw SystemError("openat2", code: ELOOP)
            default: throw SystemError("openat2")
            }
        }
    }

    /// Opens what a path in this folder leads to, links and all, for reading, if `isAllowed` says
    /// so of the place where it lies. Nothing is opened before that: a device may act on being
    /// opened.
    ///
    /// - Throws: `EXDEV` if it is not allowed.
    public func openThroughLinks(
        _ path: String, isAllowed: (_ realPath: String) -> Bool
    ) throws(SystemError) -> OpenFile {
        let found = try OpenFile(
            FileDescriptor("openat") { openat(fd, path, linux_O_PATH | O_CLOEXEC) })
        guard found.kind != .other, let realPath = found.realPath, isAllowed(realPath) else {
            throw SystemError("openat", code: EXDEV)
        }
        // The same file, whatever was put in its place meanwhile.
        return try OpenFile(path: "/proc/self/fd/\(found.fd)")
    }
}
