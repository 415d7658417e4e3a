import Glibc

/// A file or folder opened for reading; closed with the last reference.
///
/// Not tied to a loop: all calls are the kernel's, and none changes the descriptor's position.
public final class OpenFile: Sendable {
    let descriptor: FileDescriptor
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

    init(_ descriptor: consuming FileDescriptor) throws(SystemError) {
        var status = stat()
        try check("fstat") { fstat(descriptor.number, &status) }
        self.descriptor = consume descriptor
        switch status.st_mode & S_IFMT {
        case S_IFREG: kind = .regular
        case S_IFDIR: kind = .folder
        default: kind = .other
        }
        byteCount = Int(status.st_size)
        modificationTime = status.st_mtim.tv_sec * 1_000_000_000 + status.st_mtim.tv_nsec
        isExecutable = status.st_mode & 0o111 != 0
    }

    var fd: Int32 { descriptor.number }

    /// Its length now, in bytes; `nil` if the system does not say.
    public var currentByteCount: Int? {
        var status = stat()
        return fstat(fd, &status) == 0 ? Int(status.st_size) : nil
    }

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

    /// Where it lies now, links resolved; `nil` if it was deleted or is not known.
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
        try self.init(
            try FileDescriptor("open") {
                Glibc.open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)
            })
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
