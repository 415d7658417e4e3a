import EventLoop
import Glibc

/// Two stream sockets that are each other's ends, for two other processes. Closed on exec; neither
/// blocks.
public struct StreamPair: ~Copyable {
    public var one: FileDescriptor
    public var other: FileDescriptor

    public init() throws(SystemError) {
        var ends: [Int32] = [-1, -1]
        let kind = Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue)
        try check("socketpair") { socketpair(AF_UNIX, kind, 0, &ends) }
        one = FileDescriptor(ends[0])
        other = FileDescriptor(ends[1])
    }
}
