import CLinux
import Glibc

extension Socket {
    /// The next connection that waits, and the length of what the kernel wrote of its peer.
    ///
    /// - Throws: `EAGAIN` when none waits.
    static func accept(
        _ fd: Int32, peer: inout sockaddr_storage, _ byteCount: inout socklen_t
    ) throws(SystemError) -> FileDescriptor {
        try FileDescriptor("accept4") {
            withUnsafeMutablePointer(to: &peer) {
                linux_accept4(
                    fd, $0, &byteCount, Int32(SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue))
            }
        }
    }
}
