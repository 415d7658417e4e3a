import CLinux
import EventLoop
import Glibc
import Processes

/// A program to run to its end; what it writes goes into a file.
struct Command: Sendable {
    /// Begins with the program's path.
    var arguments: [String]
    /// Beside those of this process.
    var variables: [String] = []
    var log: String
    /// Whether SIGINT makes it stop what it has started, which SIGKILL would leave running.
    var endsChildrenOnInterrupt = false
}

/// Runs programs side by side.
struct CommandRunner: Sendable {
    /// `NAME=value`
    let environment: [String]
    let cancellation: Cancellation

    private struct Running {
        let index: Int
        let pid: pid_t
        let descriptor: Int32
    }

    /// - Parameters:
    ///   - limit: so many at a time.
    ///   - onTick: called every 100 ms.
    ///   - onEnd: gets the command's index, and whether it ended with exit code 0.
    func run(
        _ commands: [Command], limit: Int, onTick: (() -> Void)? = nil,
        onEnd: (Int, Bool) -> Void
    ) throws(BuildError) {
        var waiting = commands.indices.makeIterator()
        var running: [Running] = []
        while true {
            while running.count < max(1, limit), let index = waiting.next() {
                do throws(SystemError) {
                    running.append(try start(commands[index], index))
                } catch {
                    stop(running, commands)
                    let program = commands[index].arguments.first ?? ""
                    throw BuildError("\(program) cannot be started", error)
                }
            }
            if running.isEmpty { return }
            guard !wait(for: running, hasTick: onTick != nil) else {
                stop(running, commands)
                throw .cancelled
            }
            onTick?()
            running.removeAll { process in
                guard let status = Self.reap(process, isBlocking: false) else { return false }
                onEnd(process.index, status == 0)
                return true
            }
        }
    }

    /// - Returns: whether it ended with exit code 0.
    func run(_ command: Command, onTick: (() -> Void)? = nil) throws(BuildError) -> Bool {
        var isSuccess = false
        try run([command], limit: 1, onTick: onTick) { isSuccess = $1 }
        return isSuccess
    }

    private func start(_ command: Command, _ index: Int) throws(SystemError) -> Running {
        let input = open("/dev/null", O_RDONLY | O_CLOEXEC)
        guard input >= 0 else { throw SystemError("open(/dev/null)") }
        defer { close(input) }
        let log = open(command.log, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o666)
        guard log >= 0 else { throw SystemError("open(\(command.log))") }
        defer { close(log) }
        // In a group of its own, so that all of it can be stopped.
        let pid = try ProcessLaunch(
            path: command.arguments.first ?? "", arguments: command.arguments,
            environment: environment + command.variables, descriptors: [input, log, log],
            leadsGroup: true
        ).spawn()
        let descriptor = linux_pidfd_open(pid)
        guard descriptor >= 0 else {
            let error = SystemError("pidfd_open")
            kill(-pid, SIGKILL)
            waitpid(pid, nil, 0)
            throw error
        }
        return Running(index: index, pid: pid, descriptor: descriptor)
    }

    /// Until one has ended, or the build has to stop.
    ///
    /// - Returns: whether the build has to stop.
    private func wait(for running: [Running], hasTick: Bool) -> Bool {
        let descriptors = [cancellation.descriptor] + running.map(\.descriptor)
        var polls = descriptors.map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
        guard poll(&polls, nfds_t(polls.count), hasTick ? 100 : -1) > 0 else { return false }
        return polls[0].revents != 0
    }

    private func stop(_ running: [Running], _ commands: [Command]) {
        for process in running {
            var status: Int32?
            if commands[process.index].endsChildrenOnInterrupt {
                kill(process.pid, SIGINT)
                for _ in 0..<30 where status == nil {
                    usleep(100_000)
                    status = Self.reap(process, isBlocking: false)
                }
            }
            guard status == nil else { continue }
            kill(-process.pid, SIGKILL)
            _ = Self.reap(process, isBlocking: true)
        }
    }

    /// - Returns: its status, or `nil` if it has not ended.
    private static func reap(_ process: Running, isBlocking: Bool) -> Int32? {
        var status: Int32 = 0
        while true {
            let pid = waitpid(process.pid, &status, isBlocking ? 0 : WNOHANG)
            if pid == 0 { return nil }
            if pid < 0 && errno == EINTR { continue }
            close(process.descriptor)
            return pid < 0 ? -1 : status
        }
    }
}
