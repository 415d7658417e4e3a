import Glibc

/// Which file a path leads to and in which state: another stamp means that the file was written or
/// replaced.
public struct FileStamp: Sendable, Hashable {
    private let device, inode: UInt
    private let byteCount: Int
    /// When content, name or rights last changed (`st_ctim`), in nanoseconds since 1970.
    private let changeTime: Int

    /// `nil`: no such file, or it cannot be looked at.
    public init?(_ path: String) {
        var status = stat()
        guard stat(path, &status) == 0 else { return nil }
        device = UInt(status.st_dev)
        inode = UInt(status.st_ino)
        byteCount = Int(status.st_size)
        changeTime = status.st_ctim.tv_sec &* 1_000_000_000 &+ status.st_ctim.tv_nsec
    }

    /// Whether both are of one file or folder, in whatever state.
    public func isSameFile(as other: FileStamp) -> Bool {
        device == other.device && inode == other.inode
    }
}
