import EventLoop
import Glibc
import Synchronization

/// Reports to another process that this one has trapped, before the backtrace is made: that takes
/// long enough for clients to notice.
///
/// `@unchecked Sendable`: nobody writes to it once a signal can see it.
public final class CrashReport: @unchecked Sendable {
    /// A trap, a bad access, an arithmetic fault, `abort()`.
    private static let signals = [SIGILL, SIGTRAP, SIGSEGV, SIGBUS, SIGFPE, SIGABRT]
    private static let signalLimit = 32

    private let fd: Int32
    /// By activity (``ThreadActivity``); the last one where that is not known.
    private let messages: [UnsafeRawBufferPointer]
    private let isLogBehind: @Sendable () -> Bool
    /// 250 looks of 1 ms each: what a reader takes who is there.
    private static let logLookLimit = 250
    /// What was done about the signals before.
    private let previousActions: UnsafeMutablePointer<sigaction>

    /// The installed one, for the signals, which must not wait for a lock; 0 before. It is never
    /// freed.
    private static let installed = Atomic<UInt>(0)

    /// From now on a crash sends one of the messages to the socket, then goes its usual way. Once
    /// in a process; later calls have no effect.
    ///
    /// - Parameters:
    ///   - fd: a connected socket that stays open.
    ///   - messages: by activity; made beforehand, since nothing can be allocated in a crash.
    ///   - other: where the activity is not known.
    ///   - isLogBehind: whether lines wait that another thread writes. Called in the signal
    ///     handler.
    public static func install(
        _ fd: Int32, messages: [String], other: String,
        isLogBehind: @escaping @Sendable () -> Bool = { false }
    ) {
        let report = Unmanaged.passRetained(CrashReport(fd, messages + [other], isLogBehind))
        let address = UInt(bitPattern: report.toOpaque())
        let (isFirst, _) = installed.compareExchange(
            expected: 0, desired: address, ordering: .releasing)
        guard isFirst else { return report.release() }
        report.takeUnretainedValue().catchSignals()
    }

    private init(
        _ fd: Int32, _ texts: [String], _ isLogBehind: @escaping @Sendable () -> Bool
    ) {
        self.fd = fd
        self.isLogBehind = isLogBehind
        messages = texts.map { text in
            let copy = UnsafeMutableRawBufferPointer.allocate(
                byteCount: text.utf8.count, alignment: 1)
            copy.copyBytes(from: text.utf8)
            return UnsafeRawBufferPointer(copy)
        }
        previousActions = .allocate(capacity: Self.signalLimit)
        previousActions.initialize(repeating: sigaction(), count: Self.signalLimit)
    }

    deinit {
        for message in messages { message.deallocate() }
        previousActions.deallocate()
    }

    private func catchSignals() {
        ThreadActivity.prepare()
        for signal in Self.signals {
            var action = sigaction()
            action.__sigaction_handler.sa_handler = { CrashReport.caught($0) }
            action.sa_flags = Int32(SA_ONSTACK)
            sigaction(signal, &action, previousActions + Int(signal))
        }
    }

    private static func caught(_ signal: Int32) {
        guard let report = UnsafeRawPointer(bitPattern: installed.load(ordering: .acquiring)) else {
            return
        }
        Unmanaged<CrashReport>.fromOpaque(report)._withUnsafeGuaranteedRef { report in
            report.send()
            report.waitForLog()
            // The instruction runs again, and this time the previous action makes the backtrace.
            for number in signals { sigaction(number, report.previousActions + Int(number), nil) }
        }
        if signal == SIGABRT { raise(signal) }
    }

    /// In a signal handler: no lock, no allocation.
    private func send() {
        let last = messages.count - 1
        let activity = ThreadActivity.current
        let message = messages[activity >= 0 && activity < last ? activity : last]
        _ = Glibc.send(fd, message.baseAddress, message.count, Int32(MSG_NOSIGNAL))
    }

    /// The backtrace stops all other threads. In a signal handler.
    private func waitForLog() {
        for _ in 0..<Self.logLookLimit where isLogBehind() { usleep(1_000) }
    }
}
