import CLinux
import EventLoop
import Glibc

/// What process 1 owes to the others in its container: it inherits those whose parents have ended,
/// and nobody but it can reap them.
///
/// That is a process of its own, which does nothing else. So whoever starts children in the program
/// waits for them as anywhere, and nobody takes their statuses away.
public enum FirstProcess {
    /// As process 1: goes on in a new process. This one passes signals on to that, reaps all that
    /// end, and ends when the new one does, with its exit code, or 128 and the signal that ended
    /// it. Elsewhere it does nothing. Before any other thread is started.
    ///
    /// - Parameter descriptors: the new process's alone from then on.
    /// - Throws: if there can be no other process.
    public static func leave(_ descriptors: [Int32] = []) throws(SystemError) {
        guard getpid() == 1 else { return }
        var (all, before) = (sigset_t(), sigset_t())
        sigfillset(&all)
        sigprocmask(SIG_SETMASK, &all, &before)
        let program = linux_fork()
        if program > 0 {
            for descriptor in descriptors { close(descriptor) }
            stayBehind(program, all)
        }
        let error = SystemError("fork")
        sigprocmask(SIG_SETMASK, &before, nil)
        guard program == 0 else { throw error }
    }

    private static func stayBehind(_ program: pid_t, _ signals: sigset_t) -> Never {
        var signals = signals
        while true {
            var info = siginfo_t()
            let number = sigwaitinfo(&signals, &info)
            if number == SIGCHLD {
                reap(program)
            } else if number > 0 && isPassedOn(info) {
                kill(program, number)
            }
        }
    }

    /// What a terminal sends reaches the whole group, the program too.
    private static func isPassedOn(_ info: siginfo_t) -> Bool { info.si_code <= 0 }

    private static func reap(_ program: pid_t) {
        var status: Int32 = 0
        while true {
            let pid = waitpid(-1, &status, WNOHANG)
            if pid < 0 && errno == EINTR { continue }
            guard pid > 0 else { return }
            guard pid == program else { continue }
            let signal = status & 0x7F
            _exit(signal == 0 ? status >> 8 & 0xFF : 128 + signal)
        }
    }
}
