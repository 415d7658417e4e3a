import CLinux
import EventLoop
import Glibc

/// How a program is started. It inherits nothing but what is named here.
public struct ProcessLaunch: Sendable {
    public var path: String
    /// Begins with the program's name.
    public var arguments: [String]
    /// `NAME=value`; nothing else is there.
    public var environment: [String]
    /// `nil`: this process's.
    public var folder: String?
    /// Become 0, 1, 2 and so on in the program; all others are closed there.
    public var descriptors: [Int32]
    /// Whether it leads a process group of its own: what a terminal sends to this
    /// process does not reach it.
    public var leadsGroup: Bool
    /// Blocked when the program begins; what this process blocks or ignores has
    /// its default effect there.
    public var blockedSignals: [Int32]

    public init(
        path: String, arguments: [String], environment: [String], folder: String? = nil,
        descriptors: [Int32] = [0, 1, 2], leadsGroup: Bool = false, blockedSignals: [Int32] = []
    ) {
        self.path = path
        self.arguments = arguments
        self.environment = environment
        self.folder = folder
        self.descriptors = descriptors
        self.leadsGroup = leadsGroup
        self.blockedSignals = blockedSignals
    }

    /// Starts the program.
    ///
    /// - Returns: its process, to be reaped by the caller.
    /// - Throws: why it cannot be started: no such file, not executable, no more descriptors.
    package func spawn() throws(SystemError) -> pid_t {
        // Copies above the numbers that they shall have, or one could be overwritten before its
        // turn.
        var copies: [Int32] = []
        defer { for copy in copies { close(copy) } }
        for descriptor in descriptors {
            copies.append(
                try check("fcntl") { fcntl(descriptor, F_DUPFD_CLOEXEC, Int32(descriptors.count)) })
        }
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        for (index, copy) in copies.enumerated() {
            posix_spawn_file_actions_adddup2(&actions, copy, Int32(index))
        }
        // All of this server's are closed on exec; a handler's may not be.
        posix_spawn_file_actions_addclosefrom_np(&actions, Int32(descriptors.count))
        if let folder { posix_spawn_file_actions_addchdir_np(&actions, folder) }

        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        prepare(&attributes)

        var pid: pid_t = 0
        let code = Self.withCStrings(arguments) { arguments in
            Self.withCStrings(environment) { environment in
                posix_spawn(&pid, path, &actions, &attributes, arguments, environment)
            }
        }
        guard code == 0 else { throw SystemError("posix_spawn(\(path))", code: code) }
        return pid
    }

    private func prepare(_ attributes: inout posix_spawnattr_t) {
        // This process blocks and ignores signals that a program expects to work.
        var (blocked, all) = (Signals.set(blockedSignals), sigset_t())
        sigfillset(&all)
        posix_spawnattr_setsigmask(&attributes, &blocked)
        posix_spawnattr_setsigdefault(&attributes, &all)
        var flags = POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF
        if leadsGroup {
            posix_spawnattr_setpgroup(&attributes, 0)
            flags |= POSIX_SPAWN_SETPGROUP
        }
        posix_spawnattr_setflags(&attributes, Int16(flags))
    }

    /// The texts as C wants them, with `nil` behind the last one.
    private static func withCStrings<Result>(
        _ texts: [String], _ body: ([UnsafeMutablePointer<CChar>?]) -> Result
    ) -> Result {
        let strings = texts.map { strdup($0) }
        defer { for string in strings { free(string) } }
        return body(strings + [nil])
    }
}
