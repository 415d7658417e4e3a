import CLinux
import Glibc

/// What a descriptor is ready for.
public struct Readiness: OptionSet, Sendable {
    public let rawValue: UInt32
    public init(rawValue: UInt32) { self.rawValue = rawValue }

    public static let readable = Readiness(rawValue: EPOLLIN.rawValue)
    public static let writable = Readiness(rawValue: EPOLLOUT.rawValue)
    /// The peer sends no more, or the connection is broken: reading shows which.
    public static let hangUp = Readiness(
        rawValue: EPOLLRDHUP.rawValue | EPOLLHUP.rawValue | EPOLLERR.rawValue)
    /// Both directions are gone; what was received before may still be read.
    static let broken = Readiness(rawValue: EPOLLHUP.rawValue | EPOLLERR.rawValue)
    /// Reported once for each change instead of as long as it lasts.
    public static let edgeTriggered = Readiness(rawValue: 1 << 31)
}

/// Waits until one of many descriptors is ready, or another thread calls ``wakeUp()``.
///
/// This folder holds what is the kernel's own: this file and ``AlarmClock`` are written anew for
/// another kernel.
struct Poller: ~Copyable {
    private let epoll: FileDescriptor
    private let wakeUpEvent: FileDescriptor
    private let events: UnsafeMutableBufferPointer<epoll_event>

    /// 512 descriptors reported per call; more wait for the next one.
    private static let eventLimit = 512
    /// No descriptor has this number.
    private static let wakeUpToken = UInt64.max

    init() throws(SystemError) {
        let epoll = try FileDescriptor("epoll_create1") { epoll_create1(Int32(EPOLL_CLOEXEC)) }
        let wakeUpEvent = try FileDescriptor("eventfd") {
            eventfd(0, Int32(EFD_NONBLOCK | EFD_CLOEXEC))
        }
        try Self.control(
            epoll.number, EPOLL_CTL_ADD, wakeUpEvent.number, .readable, Self.wakeUpToken)
        self.epoll = epoll
        self.wakeUpEvent = wakeUpEvent
        events = .allocate(capacity: Self.eventLimit)
    }

    deinit { events.deallocate() }

    /// - Parameter token: comes back with the descriptor's events; not `UInt64.max`.
    func add(_ fd: Int32, _ interest: Readiness, token: UInt64) throws(SystemError) {
        try Self.control(epoll.number, EPOLL_CTL_ADD, fd, interest, token)
    }

    func modify(_ fd: Int32, _ interest: Readiness, token: UInt64) throws(SystemError) {
        try Self.control(epoll.number, EPOLL_CTL_MOD, fd, interest, token)
    }

    func remove(_ fd: Int32) {
        _ = epoll_ctl(epoll.number, EPOLL_CTL_DEL, fd, nil)
    }

    private static func control(
        _ epoll: Int32, _ operation: Int32, _ fd: Int32, _ interest: Readiness, _ token: UInt64
    ) throws(SystemError) {
        var event = epoll_event(events: interest.rawValue, data: epoll_data(u64: token))
        try check("epoll_ctl") { epoll_ctl(epoll, operation, fd, &event) }
    }

    /// Ends the wait that is under way, or the next one. From any thread.
    func wakeUp() {
        var one: UInt64 = 1
        _ = write(wakeUpEvent.number, &one, 8)
    }

    /// Checks what is ready.
    ///
    /// - Parameter blocks: whether to wait until something is.
    /// - Returns: how many entries ``event(at:)`` has until the next call.
    func wait(blocks: Bool) -> Int {
        let count = epoll_wait(
            epoll.number, events.baseAddress, Int32(events.count), blocks ? -1 : 0)
        return max(0, Int(count))  // -1 is EINTR here: the loop comes round again
    }

    func event(at index: Int) -> (token: UInt64, readiness: Readiness) {
        let event = events[index]
        return (event.data.u64, Readiness(rawValue: event.events))
    }

    /// Whether the event was a call of ``wakeUp()``, which needs no more to be done.
    func isWakeUp(_ token: UInt64) -> Bool {
        guard token == Self.wakeUpToken else { return false }
        var count: UInt64 = 0
        _ = read(wakeUpEvent.number, &count, 8)
        return true
    }
}
