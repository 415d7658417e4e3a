import Glibc
import Synchronization

/// Someone with a last word when this process traps.
package protocol CrashWitness: AnyObject, Sendable {
    /// In a signal handler, before the runtime makes its backtrace: no lock, no allocation.
    func crashed()
}

/// A trap, a bad access, an arithmetic fault, `abort()`.
package enum CrashSignals {
    private static let signals = [SIGILL, SIGTRAP, SIGSEGV, SIGBUS, SIGFPE, SIGABRT]
    private static let signalLimit = 32

    /// All witnesses, and what was done about the signals before there were any.
    ///
    /// `@unchecked Sendable`: nothing in it changes once the handlers of the signals can see it.
    private final class Court: @unchecked Sendable {
        let witnesses: [any CrashWitness]
        let before: UnsafeMutablePointer<sigaction>

        init(_ witnesses: [any CrashWitness], _ before: UnsafeMutablePointer<sigaction>) {
            self.witnesses = witnesses
            self.before = before
        }
    }

    /// None goes: a handler may be looking at it.
    private static let courts = Mutex<[Court]>([])
    /// The last one, for the handlers, which must not wait for a lock.
    private static let address = Atomic<UInt>(0)

    /// From now on the witness is told of a crash, before those that came earlier; then the crash
    /// goes its usual way. The witness is kept for good.
    package static func tell(_ witness: any CrashWitness) {
        courts.withLock { courts in
            let last = courts.last
            let before = last?.before ?? .allocate(capacity: signalLimit)
            let court = Court([witness] + (last?.witnesses ?? []), before)
            courts.append(court)
            address.store(
                UInt(bitPattern: Unmanaged.passUnretained(court).toOpaque()), ordering: .releasing)
            if last == nil { catchSignals(before) }
        }
    }

    private static func catchSignals(_ before: UnsafeMutablePointer<sigaction>) {
        before.initialize(repeating: sigaction(), count: signalLimit)
        for signal in signals {
            var action = sigaction()
            action.__sigaction_handler.sa_handler = { CrashSignals.crashed($0) }
            action.sa_flags = Int32(SA_ONSTACK)
            sigaction(signal, &action, before + Int(signal))
        }
    }

    private static func crashed(_ signal: Int32) {
        guard let pointer = UnsafeRawPointer(bitPattern: address.load(ordering: .acquiring)) else {
            return
        }
        Unmanaged<Court>.fromOpaque(pointer)._withUnsafeGuaranteedRef { court in
            for witness in court.witnesses { witness.crashed() }
            // The instruction is run again, and this time the one who makes the backtrace hears of
            // it.
            for number in signals { sigaction(number, court.before + Int(number), nil) }
        }
        if signal == SIGABRT { raise(signal) }
    }
}
