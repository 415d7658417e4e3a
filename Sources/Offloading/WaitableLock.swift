import EventLoop
import Glibc

/// A lock whose holder can wait for another thread to wake it. `Mutex` has no such wait.
///
/// `@unchecked Sendable`: POSIX has these two objects used by any thread.
final class WaitableLock: @unchecked Sendable {
    private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let condition = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)

    init() {
        pthread_mutex_init(mutex, nil)
        var attributes = pthread_condattr_t()
        pthread_condattr_init(&attributes)
        pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC)
        pthread_cond_init(condition, &attributes)
        pthread_condattr_destroy(&attributes)
    }

    deinit {
        pthread_cond_destroy(condition)
        pthread_mutex_destroy(mutex)
        condition.deallocate()
        mutex.deallocate()
    }

    func withLock<Result>(_ body: () -> Result) -> Result {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        return body()
    }

    /// Gives the lock up until another thread calls ``wakeOne()`` or the time has passed. With the
    /// lock held.
    ///
    /// - Returns: false if the time has passed. A wake-up may also come for no reason.
    func wait(for timeout: Duration) -> Bool {
        let end = (MonotonicTime.current() + timeout).nanoseconds
        var time = timespec(
            tv_sec: Int(end / 1_000_000_000), tv_nsec: Int(end % 1_000_000_000))
        return pthread_cond_timedwait(condition, mutex, &time) == 0
    }

    /// Wakes a thread that waits, if one does.
    func wakeOne() { pthread_cond_signal(condition) }
}
