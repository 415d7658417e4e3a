import CLinux
import Glibc

/// A file or folder opened for reading; closed when nobody holds it any more.
///
/// Not tied to a loop: all calls are the kernel's, and none changes the descriptor's position.
public final class OpenFile: Sendable {
    let fd: Int32
    public let kind: Kind
    public let byteCount: Int
    /// When its content last changed, in nanoseconds since 1970.
    public let modificationTime: Int
    /// Whether anybody may execute it.
    public let isExecutable: Bool

    public enum Kind: Sendable, Hashable {
        case regular
        case folder
        /// A pipe, a socket or a device: nothing to read for a client.
        case other
    }

    /// Takes over the descriptor.
    init(_ fd: Int32) throws(SystemError) {
        var status = stat()
        guard fstat(fd, &status) == 0 else {
            let error = SystemError("fstat")
            close(fd)
            throw error
        }
        self.fd = fd
        switch status.st_mode & S_IFMT {
        case S_IFREG: kind = .regular
        case S_IFDIR: kind = .folder
        default: kind = .other
        }
        byteCount = Int(status.st_size)
        modificationTime = status.st_mtim.tv_sec * 1_000_000_000 + status.st_mtim.tv_nsec
        isExecutable = status.st_mode & 0o111 != 0
    }

    deinit { close(fd) }

    /// Fills `buffer` from the file's byte `offset` on.
    ///
    /// - Returns: how many bytes there were, fewer only at the file's end; `nil` if it cannot be
    ///   read.
    public func read(into buffer: UnsafeMutableRawBufferPointer, at offset: Int) -> Int? {
        var filled = 0
        while filled < buffer.count {
            let rest = UnsafeMutableRawBufferPointer(rebasing: buffer[filled...])
            guard let base = rest.baseAddress else { break }
            let count = pread(fd, base, rest.count, off_t(offset + filled))
            if count < 0 && errno == EINTR { continue }
            if count < 0 { return nil }
            if count == 0 { break }
            filled += count
        }
        return filled
    }

    /// Where it lies now, links resolved; `nil` if it was deleted or cannot be told.
    public var realPath: String? {
        var bytes = [CChar](repeating: 0, count: Int(PATH_MAX) + 1)
        let count = readlink("/proc/self/fd/\(fd)", &bytes, bytes.count)
        guard count > 0, count < bytes.count else { return nil }
        return String(validating: bytes[..<count].map(UInt8.init(bitPattern:)), as: UTF8.self)
    }
}

extension OpenFile {
    /// Opens what a path leads to, wherever it is.
    public convenience init(path: String) throws(SystemError) {
        let fd = try check("open") {
            Glibc.open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)
        }
        try self.init(fd)
    }

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
            if file >= 0 { return try OpenFile(file) }
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
        let place = try check("openat") { openat(fd, path, linux_O_PATH | O_CLOEXEC) }
        let found = try OpenFile(place)
        guard found.kind != .other, let realPath = found.realPath, isAllowed(realPath) else {
            throw SystemError("openat", code: EXDEV)
        }
        // The same file, whatever was put in its place meanwhile.
        return try OpenFile(path: "/proc/self/fd/\(found.fd)")
    }

    /// The names in this folder, in no order, `.` and `..` left out, with a slash behind a
    /// folder's.
    ///
    /// - Parameter countLimit: no more than these are read.
    public func names(countLimit: Int) throws(SystemError) -> [String] {
        let copy = try check("openat") { openat(fd, ".", O_RDONLY | O_CLOEXEC | O_DIRECTORY) }
        guard let folder = fdopendir(copy) else {
            let error = SystemError("fdopendir")
            close(copy)
            throw error
        }
        defer { closedir(folder) }
        var names: [String] = []
        while names.count < countLimit, let entry = readdir(folder) {
            let isFolder = entry.pointee.d_type == UInt8(DT_DIR)
            // A name may be longer than the type says; it ends with a NUL.
            let bytes = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) {
                    String(validatingCString: $0)
                }
            }
            guard let name = bytes, name != ".", name != ".." else { continue }
            names.append(isFolder ? name + "/" : name)
        }
        return names
    }
}
