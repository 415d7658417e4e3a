import CLinux
import EventLoop
import Glibc

/// Signals as events of a loop instead of interruptions.
public final class Signals: EventSource {
    private var descriptor: FileDescriptor?
    private let onSignal: (Int32) -> Void

    /// Keeps the signals from their default effect. Call before any other thread is started, so
    /// that every thread inherits it.
    public static func block(_ signals: [Int32]) {
        var set = Self.set(signals)
        pthread_sigmask(SIG_BLOCK, &set, nil)
    }

    /// Leaves these signals without effect: another process handles them.
    public static func ignore(_ signals: [Int32]) {
        for number in signals { signal(number, SIG_IGN) }
    }

    /// Whether this signal has no effect, as `nohup` arranges for SIGHUP.
    public static func isIgnored(_ number: Int32) -> Bool {
        var action = sigaction()
        guard sigaction(number, nil, &action) == 0, action.sa_flags & SA_SIGINFO == 0 else {
            return false
        }
        return unsafeBitCast(action.__sigaction_handler.sa_handler, to: Int.self) == 1  // SIG_IGN
    }

    static func set(_ signals: [Int32]) -> sigset_t {
        var set = sigset_t()
        sigemptyset(&set)
        for signal in signals { sigaddset(&set, signal) }
        return set
    }

    /// - Parameter signals: blocked before with ``block(_:)``.
    public init(
        _ signals: [Int32], on loop: Loop, onSignal: @escaping (Int32) -> Void
    ) throws(SystemError) {
        var set = Self.set(signals)
        self.onSignal = onSignal
        descriptor = try FileDescriptor("signalfd") {
            signalfd(-1, &set, Int32(SFD_NONBLOCK | SFD_CLOEXEC))
        }
        try descriptor?.watch(.readable, by: self, on: loop)
    }

    public func ready(_ readiness: Readiness) {
        var info = signalfd_siginfo()
        let byteCount = MemoryLayout<signalfd_siginfo>.size
        while let fd = descriptor?.number, read(fd, &info, byteCount) == byteCount {
            onSignal(Int32(info.ssi_signo))
        }
    }

    public func close() { descriptor = nil }
}
