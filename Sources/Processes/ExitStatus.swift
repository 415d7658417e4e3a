import Glibc

/// How a program has ended.
public enum ExitStatus: Sendable, Hashable, CustomStringConvertible {
    /// It ended by itself; 0 says that all went well.
    case exited(code: Int32)
    /// A signal ended it (signal(7)), such as 9, SIGKILL.
    case signalled(Int32)

    /// - Parameter status: of `waitpid`.
    package init(waitStatus status: Int32) {
        let signal = status & 0x7F
        self = signal == 0 ? .exited(code: status >> 8 & 0xFF) : .signalled(signal)
    }

    public var isSuccess: Bool { self == .exited(code: 0) }

    /// `exit code 3`, `signal 9 (SIGKILL)`
    public var description: String {
        switch self {
        case .exited(let code): "exit code \(code)"
        case .signalled(let signal):
            Self.names[signal].map { "signal \(signal) (\($0))" } ?? "signal \(signal)"
        }
    }

    private static let names: [Int32: String] = [
        SIGHUP: "SIGHUP", SIGINT: "SIGINT", SIGQUIT: "SIGQUIT", SIGILL: "SIGILL",
        SIGTRAP: "SIGTRAP", SIGABRT: "SIGABRT", SIGBUS: "SIGBUS", SIGFPE: "SIGFPE",
        SIGKILL: "SIGKILL", SIGUSR1: "SIGUSR1", SIGSEGV: "SIGSEGV", SIGUSR2: "SIGUSR2",
        SIGPIPE: "SIGPIPE", SIGALRM: "SIGALRM", SIGTERM: "SIGTERM", SIGXCPU: "SIGXCPU",
        SIGXFSZ: "SIGXFSZ", SIGSYS: "SIGSYS",
    ]
}
