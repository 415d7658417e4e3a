import CLinux
import Glibc

/// What a descriptor is ready for.
public struct Readiness: OptionSet, Sendable {
    public let rawValue: UInt32
    public init(rawValue: UInt32) { self.rawValue = rawValue }

    public static let readable = Readiness(rawValue: EPOLLIN.rawValue)
    public static let writable = Readiness(rawValue: EPOLLOUT.rawValue)
    /// The peer sends no more, or the connection is broken: reading tells which.
    public static let hangUp = Readiness(
        rawValue: EPOLLRDHUP.rawValue | EPOLLHUP.rawValue | EPOLLERR.rawValue)
    /// Both directions are gone; what was received before may still be read.
    static let broken = Readiness(rawValue: EPOLLHUP.rawValue | EPOLLERR.rawValue)
    /// Told once for each change instead of as long as it lasts.
    public static let edgeTriggered = Readiness(rawValue: 1 << 31)
}

/// The kernel's readiness list; the one file to write anew for another kernel.
struct Epoll: ~Copyable {
    private let descriptor: Int32
    private let events: UnsafeMutableBufferPointer<epoll_event>

    /// 512 descriptors told per call; more wait for the next one.
    private static let eventLimit = 512

    init() throws(SystemError) {
        descriptor = try check("epoll_create1") { epoll_create1(Int32(EPOLL_CLOEXEC)) }
        events = .allocate(capacity: Self.eventLimit)
    }

    deinit {
        events.deallocate()
        close(descriptor)
    }

    func add(_ fd: Int32, _ interest: Readiness, token: UInt64) throws(SystemError) {
        try control(EPOLL_CTL_ADD, fd, interest, token)
    }

    func modify(_ fd: Int32, _ interest: Readiness, token: UInt64) throws(SystemError) {
        try control(EPOLL_CTL_MOD, fd, interest, token)
    }

    func remove(_ fd: Int32) {
        _ = epoll_ctl(descriptor, EPOLL_CTL_DEL, fd, nil)
    }

    private func control(
        _ operation: Int32, _ fd: Int32, _ interest: Readiness, _ token: UInt64
    ) throws(SystemError) {
        var event = epoll_event(events: interest.rawValue, data: epoll_data(u64: token))
        try check("epoll_ctl") { epoll_ctl(descriptor, operation, fd, &event) }
    }

    /// Looks what is ready.
    ///
    /// - Parameter blocks: whether to wait until something is.
    /// - Returns: how many entries ``event(at:)`` has until the next call.
    func wait(blocks: Bool) -> Int {
        let count = epoll_wait(
            descriptor, events.baseAddress, Int32(events.count), blocks ? -1 : 0)
        return max(0, Int(count))  // -1 is EINTR here: the loop comes round again
    }

    func event(at index: Int) -> (token: UInt64, readiness: Readiness) {
        let event = events[index]
        return (event.data.u64, Readiness(rawValue: event.events))
    }
}
