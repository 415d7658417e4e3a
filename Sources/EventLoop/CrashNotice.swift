import CLinux
import Glibc
import Synchronization

/// Tells another process that this one has trapped, before the backtrace is made: that takes long enough
/// for clients to notice.
///
/// `@unchecked Sendable`: everything is written once, in ``install(_:loops:messages:)``, before the
/// handlers of the signals are in place, which then only read it.
public final class CrashNotice: @unchecked Sendable {
    private let fd: Int32
    private let loops: [Loop]
    /// By activity (``Loop/note(activity:)``); the last one where that is not known.
    private let messages: [UnsafeRawBufferPointer]
    /// By signal, what was done about it before.
    private let before: UnsafeMutablePointer<sigaction>

    /// A trap, a bad access, an arithmetic fault, `abort()`.
    private static let signals = [SIGILL, SIGTRAP, SIGSEGV, SIGBUS, SIGFPE, SIGABRT]
    private static let signalLimit = 32
    private static let installed = Mutex<CrashNotice?>(nil)
    /// For the handlers, which must not wait for a lock.
    private static let address = Atomic<UInt>(0)

    /// From now on a crash sends one of the messages to the socket, then goes its usual way. Once per process.
    ///
    /// - Parameters:
    ///   - fd: a connected socket that stays open.
    ///   - loops: whose activity tells what the thread was at.
    ///   - messages: by activity; made beforehand, since nothing can be allocated then.
    ///   - other: where the activity is not known.
    public static func install(_ fd: Int32, loops: [Loop], messages: [String], other: String) {
        installed.withLock { installed in
            guard installed == nil else { return }
            let notice = CrashNotice(fd, loops, messages + [other])
            installed = notice
            address.store(UInt(bitPattern: Unmanaged.passUnretained(notice).toOpaque()), ordering: .releasing)
            notice.catchSignals()
        }
    }

    private init(_ fd: Int32, _ loops: [Loop], _ texts: [String]) {
        self.fd = fd
        self.loops = loops
        before = .allocate(capacity: Self.signalLimit)
        before.initialize(repeating: sigaction(), count: Self.signalLimit)
        messages = texts.map { text in
            let copy = UnsafeMutableRawBufferPointer.allocate(byteCount: text.utf8.count, alignment: 1)
            copy.copyBytes(from: text.utf8)
            return UnsafeRawBufferPointer(copy)
        }
    }

    private func catchSignals() {
        for signal in Self.signals {
            var action = sigaction()
            action.__sigaction_handler.sa_handler = { CrashNotice.crashed($0) }
            action.sa_flags = Int32(SA_ONSTACK)
            sigaction(signal, &action, before + Int(signal))
        }
    }

    /// In a signal handler: no lock, no allocation.
    private static func crashed(_ signal: Int32) {
        guard let pointer = UnsafeRawPointer(bitPattern: address.load(ordering: .acquiring)) else { return }
        Unmanaged<CrashNotice>.fromOpaque(pointer)._withUnsafeGuaranteedRef { $0.tell(signal) }
    }

    private func tell(_ signal: Int32) {
        var index = messages.count - 1
        for loop in loops where loop.isCurrent {
            let activity = loop.activity.load(ordering: .relaxed)
            if activity >= 0 && activity < index { index = activity }
            break
        }
        let message = messages[index]
        _ = send(fd, message.baseAddress, message.count, Int32(MSG_NOSIGNAL))
        // The instruction is run again, and this time the one who makes the backtrace hears of it.
        for number in Self.signals { sigaction(number, before + Int(number), nil) }
        if signal == SIGABRT { raise(signal) }
    }
}
