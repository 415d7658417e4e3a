import Glibc

/// A port of 127.0.0.1 on which nobody listens, and which nobody else gets while this exists: it is
/// bound. A port that was only free a moment ago may belong to another program by now.
public final class UnansweredPort {
    private let descriptor: Int32
    public let number: UInt16

    /// Fails if the machine has no descriptor or no port.
    public init?() {
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var byteCount = socklen_t(MemoryLayout<sockaddr_in>.size)
        let fd = descriptor
        let isBound = withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(fd, $0, byteCount) == 0 && getsockname(fd, $0, &byteCount) == 0
            }
        }
        number = UInt16(bigEndian: address.sin_port)
        guard isBound else { return nil }
    }

    deinit { close(descriptor) }
}
