import EventLoop
import Glibc

/// A program that this process started and whose end it is notified of.
///
/// Belongs to its loop's thread. Unlike a ``ChildProcess`` it outlives this process: when the loop
/// ends, it is left running.
public final class WatchedProcess: EventSource {
    public let pid: pid_t
    /// `nil`: it has ended, or is not watched any more.
    private var process: SpawnedProcess?
    private let onEnd: (Int32) -> Void

    /// - Parameter onEnd: called once, with the status of `waitpid`, when the process is gone.
    /// - Throws: why the program cannot be started.
    public init(
        _ launch: ProcessLaunch, on loop: Loop, onEnd: @escaping (Int32) -> Void
    ) throws(SystemError) {
        self.onEnd = onEnd
        let process = try SpawnedProcess(launch)
        pid = process.pid
        self.process = consume process
        do throws(SystemError) {
            try self.process?.descriptor.watch(.readable, by: self, on: loop)
        } catch {
            _ = self.process.take()?.killAndReap()
            throw error
        }
    }

    /// Whether it has not ended yet, as far as is known.
    public var isRunning: Bool { process != nil }

    public func signal(_ number: Int32) { process?.signal(number) }

    public func ready(_ readiness: Readiness) {
        if let status = process.take()?.reap() { onEnd(status) }
    }

    public func close() { process = nil }
}
