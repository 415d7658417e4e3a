import CLinux
import Glibc

/// Keeps the memory of long messages while there is much to do, and gives it back to the system afterwards.
///
/// glibc maps long blocks one by one and unmaps them when they are freed: an echo of 1 MiB spent half its
/// time on pages that the system had just cleared. So it is told to keep them. What it keeps, and whole pages
/// that were freed between others in use, is a hundred times what many connections need when they are idle
/// again. Looks now and then, and acts only while the process has little to do, so that pages are not given
/// back to be asked for again. For programs, not libraries: it is about the memory of the whole process.
///
/// `@unchecked Sendable`: after ``start()`` everything is touched on the loop's thread only.
public final class MemoryRelease: @unchecked Sendable {
    private let loop: Loop
    private var timer: Timer?
    private var lastCPUTime: Duration = .zero
    /// After the last release, in bytes.
    private var keptByteCount: Int

    static let pause: Duration = .seconds(1)
    /// A tenth of a core: what many idle connections cost besides.
    private static let idleCPUTime: Duration = pause / 10
    /// 4 MiB more than before, and an eighth: less is not worth a look through all that is free, which takes
    /// a millisecond for each 10 MiB or so that are given back.
    private static let growthByteCount = 4 << 20
    /// Between two releases, for a server whose bursts come one after the other.
    private static let releasePause: Duration = .seconds(10)
    /// 32 MiB, the most that glibc takes: longer blocks are mapped, and unmapped when they are freed.
    private static let mappedByteCount: Int32 = 32 << 20
    /// 64 MiB free at the end of a heap: more goes back at once.
    private static let trimmedByteCount: Int32 = 64 << 20

    public init(on loop: Loop) {
        self.loop = loop
        keptByteCount = Self.residentByteCount() ?? 0
    }

    /// Begins to look. From any thread; ends with the loop or the object.
    public func start() {
        mallopt(linux_M_MMAP_THRESHOLD, Self.mappedByteCount)
        mallopt(linux_M_TRIM_THRESHOLD, Self.trimmedByteCount)
        loop.submit { [weak self] in
            guard let self else { return }
            timer = loop.makeTimer { [weak self] in self?.look() }
            lookAgain()
        }
    }

    private func lookAgain(after pause: Duration = pause) {
        if let timer { loop.schedule(timer, after: pause) }
    }

    private func look() { lookAgain(after: releaseIfIdle() ? Self.releasePause : Self.pause) }

    /// - Returns: whether memory was given back.
    private func releaseIfIdle() -> Bool {
        let cpuTime = Self.cpuTime()
        let isIdle = cpuTime - lastCPUTime < Self.idleCPUTime
        lastCPUTime = cpuTime
        guard isIdle, let byteCount = Self.residentByteCount() else { return false }
        guard byteCount >= keptByteCount + max(Self.growthByteCount, keptByteCount / 8) else {
            keptByteCount = min(keptByteCount, byteCount)
            return false
        }
        malloc_trim(0)
        keptByteCount = Self.residentByteCount() ?? byteCount
        return true
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
        guard numbers.count > 1, let pageCount = Int(String(decoding: numbers[1], as: UTF8.self)) else {
            return nil
        }
        return pageCount * sysconf(Int32(_SC_PAGESIZE))
    }
}
