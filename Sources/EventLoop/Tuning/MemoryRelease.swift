import CLinux
import Glibc
import Synchronization

/// Keeps the memory of long messages while there is much to do, and gives it back to the system
/// afterwards.
///
/// glibc maps long blocks one by one and unmaps them when they are freed: an echo of 1 MiB spent
/// half its time on pages that the system had just cleared. So ``init(on:)`` makes it keep them.
/// What it keeps, and whole pages that were freed between others in use, is a hundred times what
/// many connections need when they are idle again. Looks now and then, and acts while the process
/// has little to do, so that pages are not given back to be asked for again; once a minute in any
/// case. For programs, not libraries: it concerns the memory of the whole process, so a program
/// makes one and no library does.
///
/// An echo of 1 MiB: 0.42 → 0.72 of raw-epoll, of text 0.24 → 0.60; memory after a burst: 48,640 →
/// 18,145 bytes for a connection (docs/PERFORMANCE.md). Another C library ignores or lacks
/// `mallopt`; nothing else depends on it.
///
/// `@unchecked Sendable`: after ``start()`` everything is touched on the thread of `loop` only.
public final class MemoryRelease: @unchecked Sendable {
    private let loop: Loop
    private let loops: [Loop]
    private var timer: Timer?
    private var lastCPUTime: Duration = .zero
    /// After the last release, in bytes.
    private var keptByteCount: Int
    /// At the last release.
    private var releaseCPUTime: Duration = .zero
    private var released = MonotonicTime(nanoseconds: 0)
    /// The last one because of growth, which no other kind of release puts off.
    private var releasedGrowth = MonotonicTime(nanoseconds: 0)

    static let pause: Duration = .seconds(1)
    /// A tenth of a core: what many idle connections cost besides.
    private static let idleCPUTime: Duration = pause / 10
    /// 4 MiB more than before, and an eighth: less is not worth a look through all that is free,
    /// which takes a millisecond for each 10 MiB or so that are given back.
    private static let growthByteCount = 4 << 20
    /// 20 ms since the last release: what was in use then may be free by now, without any growth.
    /// As long as it takes to receive a few MiB.
    private static let workCPUTime: Duration = .milliseconds(20)
    /// Between two releases, for a server whose bursts come one after the other.
    private static let releasePause: Duration = .seconds(10)
    /// The same while there is much to do.
    private static let busyReleasePause: Duration = .seconds(60)
    /// 32 MiB, the most that glibc takes: longer blocks are mapped, and unmapped when they are
    /// freed.
    private static let mappedByteCount: Int32 = 32 << 20
    /// 64 MiB free at the end of a thread's memory: more goes back at once.
    private static let trimmedByteCount: Int32 = 64 << 20
    /// 128 KiB, glibc's default, during a release.
    private static let releasedByteCount: Int32 = 128 << 10

    /// Before the loops begin: it changes how the allocator works.
    ///
    /// - Parameters:
    ///   - loop: where it looks; one that nothing blocks.
    ///   - loops: whose threads have memory to give back.
    public init(on loop: Loop, for loops: [Loop]) {
        self.loop = loop
        self.loops = loops
        mallopt(linux_M_MMAP_THRESHOLD, Self.mappedByteCount)
        mallopt(linux_M_TRIM_THRESHOLD, Self.trimmedByteCount)
        keptByteCount = Self.residentByteCount() ?? 0
    }

    /// Begins to look. From any thread; ends with the loop or the object.
    public func start() {
        loop.submit { [weak self] in
            guard let self else { return }
            released = loop.now
            timer = loop.makeTimer { [weak self] in self?.look() }
            lookAgain()
        }
    }

    private func lookAgain() {
        if let timer { loop.schedule(timer, after: Self.pause) }
    }

    private func look() {
        if isReleaseDue() { release() }
        lookAgain()
    }

    private func isReleaseDue() -> Bool {
        guard let byteCount = Self.residentByteCount() else { return false }
        let now = loop.now
        let cpuTime = Self.cpuTime()
        let isIdle = cpuTime - lastCPUTime < Self.idleCPUTime
        lastCPUTime = cpuTime
        guard isIdle || now > released + Self.busyReleasePause else { return false }
        let hasGrown = byteCount >= keptByteCount + max(Self.growthByteCount, keptByteCount / 8)
        if !hasGrown { keptByteCount = min(keptByteCount, byteCount) }
        let hasWorked = cpuTime - releaseCPUTime >= Self.workCPUTime
        guard hasGrown || hasWorked,
            now >= (hasGrown ? releasedGrowth : released) + Self.releasePause
        else {
            return false
        }
        releaseCPUTime = cpuTime
        released = now
        if hasGrown { releasedGrowth = now }
        return true
    }

    /// Each thread has memory of its own, and only the thread itself cuts off the end of that, when
    /// it frees something long.
    private func release() {
        mallopt(linux_M_TRIM_THRESHOLD, Self.releasedByteCount)
        let rest = Countdown(loops.count)
        for loop in loops {
            loop.submit { [weak self] in
                UnsafeMutableRawPointer.allocate(
                    byteCount: Int(Self.releasedByteCount), alignment: 16
                ).deallocate()
                if rest.isDone() { self?.finishReleaseSoon() }
            }
        }
    }

    /// Threads that still have to cut theirs off.
    private final class Countdown: Sendable {
        private let rest: Atomic<Int>
        init(_ count: Int) { rest = Atomic(count) }
        func isDone() -> Bool { rest.subtract(1, ordering: .relaxed).newValue == 0 }
    }

    /// From any thread.
    private func finishReleaseSoon() {
        loop.submit { [self] in
            malloc_trim(0)
            mallopt(linux_M_TRIM_THRESHOLD, Self.trimmedByteCount)
            keptByteCount = Self.residentByteCount() ?? keptByteCount
        }
    }

    /// Of all threads. POSIX has `clock` count microseconds.
    private static func cpuTime() -> Duration { .microseconds(clock()) }

    /// The second number of proc(5)'s `statm`, in pages there.
    static func residentByteCount() -> Int? {
        let fd = open("/proc/self/statm", O_RDONLY | O_CLOEXEC)
        guard fd >= 0 else { return nil }
        defer { close(fd) }
        var text = [UInt8](repeating: 0, count: 128)
        let count = read(fd, &text, text.count)
        guard count > 0 else { return nil }
        let numbers = text[..<count].split(separator: UInt8(ascii: " "))
        guard numbers.count > 1, let pageCount = Int(String(decoding: numbers[1], as: UTF8.self))
        else {
            return nil
        }
        return pageCount * sysconf(Int32(_SC_PAGESIZE))
    }
}
