import CLinux
import EventLoop
import Glibc

/// A file in memory that another process of the same user may write: its content outlives that
/// process.
public final class MemoryFile: Sendable {
    private let descriptor: FileDescriptor

    public init(name: String) throws(SystemError) {
        descriptor = try FileDescriptor("memfd_create") { memfd_create(name, linux_MFD_CLOEXEC) }
    }

    /// Under which others can open it, as long as this process lives.
    public var path: String { "/proc/\(getpid())/fd/\(descriptor.number)" }

    /// What is in it, from the beginning.
    public func text(byteLimit: Int) -> String {
        var bytes = [UInt8](repeating: 0, count: byteLimit)
        let count = bytes.withUnsafeMutableBytes {
            pread(descriptor.number, $0.baseAddress, $0.count, 0)
        }
        return String(decoding: bytes.prefix(max(0, count)), as: UTF8.self)
    }
}
