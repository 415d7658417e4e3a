import CLinux
import Glibc

/// The kernel's timer that ends a loop's wait when its first timer is due.
///
/// `epoll_wait` has a time limit too, but that one is set and cleared with each wait, this one only
/// when an earlier deadline has come up. Belongs to its loop's thread.
struct AlarmClock: ~Copyable {
    /// Readable when the time has come; need not be read if it is watched edge-triggered.
    private let descriptor: FileDescriptor
    var fd: Int32 { descriptor.number }
    /// When it rings; `nil`: not again.
    private var setTime: MonotonicTime?

    init() throws(SystemError) {
        descriptor = try FileDescriptor("timerfd_create") {
            timerfd_create(CLOCK_MONOTONIC, O_NONBLOCK | O_CLOEXEC)
        }
    }

    /// Rings at `deadline` or within the millisecond behind it, so that timers that lie close
    /// together cost one wake-up. It may ring before as well, for a timer that has been cancelled
    /// since.
    ///
    /// - Returns: whether it will ring; if not, the loop must not wait for it.
    mutating func set(for deadline: MonotonicTime) -> Bool {
        let (sum, overflow) = deadline.nanoseconds.addingReportingOverflow(Self.granularity &- 1)
        let time = overflow ? deadline : MonotonicTime(nanoseconds: sum &- sum % Self.granularity)
        if let setTime, setTime <= time { return true }
        guard linux_timerfd_set(fd, time.nanoseconds) == 0 else { return false }
        setTime = time
        return true
    }

    /// Notes that it has rung.
    mutating func rang() { setTime = nil }

    /// 1 ms.
    private static let granularity: Int64 = 1_000_000
}
