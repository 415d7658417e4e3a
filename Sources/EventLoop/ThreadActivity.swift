import Glibc
import Synchronization

/// What threads are doing, as numbers: the warning about a blocked thread and the report of a crash
/// name it.
package enum ThreadActivity {
    /// Made before the first crash can ask for it: see ``prepare()``.
    private static let loopKey = makeKey()
    private static let numberKey = makeKey()

    private static func makeKey() -> pthread_key_t {
        var key = pthread_key_t()
        // The limit is 1,024 keys in a process (PTHREAD_KEYS_MAX); without one nothing is named.
        return pthread_key_create(&key, nil) == 0 ? key : .max
    }

    /// Before ``current`` is asked for in a signal handler, which must not be the first to ask.
    package static func prepare() { _ = (loopKey, numberKey) }

    /// The calling thread runs this loop, which notes its activity itself; `nil`: none any more.
    static func setLoop(_ loop: Loop?) {
        pthread_setspecific(loopKey, loop.map { Unmanaged.passUnretained($0).toOpaque() })
    }

    /// The loop that the calling thread runs.
    static var loop: Loop? {
        pthread_getspecific(loopKey).map { Unmanaged<Loop>.fromOpaque($0).takeUnretainedValue() }
    }

    /// Notes what the calling thread, which runs no loop, is about to do; -1: nothing known.
    package static func note(_ number: Int) {
        pthread_setspecific(numberKey, UnsafeRawPointer(bitPattern: number + 1))
    }

    /// What the calling thread was last noted to do; -1 if nothing was. Also in a signal handler.
    package static var current: Int {
        if let loop = pthread_getspecific(loopKey) {
            return Unmanaged<Loop>.fromOpaque(loop)._withUnsafeGuaranteedRef(\.currentActivity)
        }
        return Int(bitPattern: pthread_getspecific(numberKey)) - 1
    }
}

extension Loop {
    /// The loop on whose thread the caller is; `nil`: the thread runs none.
    package static var current: Loop? { ThreadActivity.loop }

    /// Notes what is about to use the thread. On the loop's thread.
    public func note(activity number: Int) { activity.store(number, ordering: .relaxed) }

    /// The last ``note(activity:)``; -1 if there was none. From any thread, and in a signal
    /// handler.
    package var currentActivity: Int { activity.load(ordering: .relaxed) }
}
