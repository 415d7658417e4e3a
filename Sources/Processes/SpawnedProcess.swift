import CLinux
import EventLoop
import Glibc

/// A process that this one started, until it is reaped. It goes on when this value is dropped.
struct SpawnedProcess: ~Copyable {
    let pid: pid_t
    /// Ready to read when the process has ended.
    var descriptor: FileDescriptor
    private let leadsGroup: Bool

    /// - Throws: why it cannot be started, or its end cannot be noticed; it does not run then.
    init(_ launch: ProcessLaunch) throws(SystemError) {
        let pid = try launch.spawn()
        do throws(SystemError) {
            descriptor = try FileDescriptor("pidfd_open") { linux_pidfd_open(pid) }
        } catch {
            kill(pid, SIGKILL)
            while waitpid(pid, nil, 0) < 0 && errno == EINTR {}
            throw error
        }
        self.pid = pid
        leadsGroup = launch.leadsGroup
    }

    /// Sends a signal, to all of its group if it leads one. Until it is reaped, no other process
    /// gets its number.
    func signal(_ number: Int32) { kill(leadsGroup ? -pid : pid, number) }

    /// Waits for its end.
    ///
    /// - Returns: the status of `waitpid`.
    consuming func reap() -> Int32 {
        var status: Int32 = 0
        while waitpid(pid, &status, 0) < 0 && errno == EINTR {}
        return status
    }

    consuming func killAndReap() -> Int32 {
        signal(SIGKILL)
        return reap()
    }
}
