import CLinux
import Glibc
import HandlerBuild
import Processes

/// SIGINT, SIGTERM and SIGHUP while something is built: the compilers are stopped first. SIGHUP has
/// no effect if it had none at the start: `nohup` wants that.
final class Interruption {
    let cancellation: Cancellation
    private let descriptor: Int32
    private var set = sigset_t()
    private let signals = [SIGINT, SIGTERM, SIGHUP].filter {
        !Signals.isIgnored($0) || $0 != SIGHUP
    }

    init?() {
        sigemptyset(&set)
        for signal in signals { sigaddset(&set, signal) }
        sigprocmask(SIG_BLOCK, &set, nil)
        descriptor = signalfd(-1, &set, Int32(SFD_CLOEXEC) | Int32(SFD_NONBLOCK))
        guard descriptor >= 0 else { return nil }
        cancellation = Cancellation(adopting: descriptor)
    }

    /// The one that came, if any.
    var signal: Int32? {
        var pending = sigset_t()
        sigpending(&pending)
        return signals.first { sigismember(&pending, $0) == 1 }
    }

    /// They do what they usually do again.
    func end() { sigprocmask(SIG_UNBLOCK, &set, nil) }
}
