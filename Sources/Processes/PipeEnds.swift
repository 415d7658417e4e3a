import CLinux
import EventLoop
import Glibc

/// The two ends of a pipe, closed on exec; `ours` does not block.
struct PipeEnds: ~Copyable {
    var ours: FileDescriptor
    var theirs: FileDescriptor

    /// - Parameter weWrite: which end is ours.
    init(weWrite: Bool) throws(SystemError) {
        var ends: [Int32] = [-1, -1]
        try check("pipe2") { pipe2(&ends, O_CLOEXEC) }
        ours = FileDescriptor(ends[weWrite ? 1 : 0])
        theirs = FileDescriptor(ends[weWrite ? 0 : 1])
        _ = fcntl(ours.number, F_SETFL, O_NONBLOCK)
    }
}
