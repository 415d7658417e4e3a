import CLinux
import EventLoop
import Glibc

/// A program that this process started and whose end it is notified of.
///
/// Belongs to its loop's thread. Unlike a ``ChildProcess`` it outlives this process:
/// when the loop ends, it is left running.
public final class WatchedProcess: EventSource {
    public let pid: pid_t
    private var descriptor: FileDescriptor?
    private var onEnd: ((Int32) -> Void)?

    /// - Parameter onEnd: called once, with the status of `waitpid`, when the process is gone.
    /// - Throws: why the program cannot be started.
    public init(
        _ launch: ProcessLaunch, on loop: Loop, onEnd: @escaping (Int32) -> Void
    ) throws(SystemError) {
        self.onEnd = onEnd
        pid = try launch.spawn()
        do throws(SystemError) {
            descriptor = try FileDescriptor("pidfd_open") { [pid] in linux_pidfd_open(pid) }
            try descriptor?.watch(.readable, by: self, on: loop)
        } catch {
            Glibc.kill(pid, SIGKILL)
            _ = Self.reap(pid)
            throw error
        }
    }

    /// Whether it has not ended yet, as far as is known.
    public var isRunning: Bool { onEnd != nil }

    public func signal(_ number: Int32) {
        // Until it is reaped, no other process gets its number.
        if isRunning { Glibc.kill(pid, number) }
    }

    public func ready(_ readiness: Readiness) {
        guard let onEnd else { return }
        let status = Self.reap(pid)
        close()
        onEnd(status)
    }

    public func close() {
        guard isRunning else { return }
        onEnd = nil
        descriptor = nil
    }

    private static func reap(_ pid: pid_t) -> Int32 {
        var status: Int32 = 0
        while waitpid(pid, &status, 0) < 0 && errno == EINTR {}
        return status
    }
}
