import CLinux
import EventLoop
import Glibc

/// Who started a process. All calls come on the loop's thread.
public protocol ChildProcessDelegate: AnyObject {
    /// From its standard output; valid for this call.
    func childWroteOutput(_ bytes: UnsafeRawBufferPointer)
    /// Its standard output has ended; it may go on for a while.
    func childEndedOutput()
    /// From its standard error; valid for this call.
    func childWroteErrors(_ bytes: UnsafeRawBufferPointer)
    /// The last call: its output has ended and it is gone, with all of its group.
    ///
    /// - Parameter status: of `waitpid`.
    func childEnded(_ status: Int32)
}

/// A program that runs for this process: in a process group of its own, with three pipes and
/// nothing else of this process.
///
/// Belongs to its loop's thread. It keeps its delegate until it has ended.
public final class ChildProcess: EventSource {
    /// What to run.
    public struct Command: Sendable {
        public var path: String
        /// Begins with the program's name.
        public var arguments: [String]
        /// `NAME=value`; nothing else is there.
        public var environment: [String]
        public var folder: String

        public init(path: String, arguments: [String], environment: [String], folder: String) {
            self.path = path
            self.arguments = arguments
            self.environment = environment
            self.folder = folder
        }
    }

    private let loop: Loop
    private let pid: pid_t
    private let pidDescriptor: Int32
    private var input: PipeWriter?
    private var output: PipeReader?
    private var errors: PipeReader?
    private var delegate: (any ChildProcessDelegate)?
    private var exitStatus: Int32?
    private var isClosed = false

    /// Starts the program.
    ///
    /// - Parameter input: its standard input, which ends behind these bytes.
    /// - Throws: why it cannot be started: no such file, not executable, no more descriptors.
    public init(
        _ command: Command, input bytes: [UInt8], on loop: Loop, delegate: any ChildProcessDelegate
    ) throws(SystemError) {
        self.loop = loop
        self.delegate = delegate
        let pipes = try ChildPipes()
        do throws(SystemError) {
            pid = try command.spawn(pipes)
        } catch {
            pipes.closeAll()
            throw error
        }
        pipes.closeTheirs()
        let descriptor = linux_pidfd_open(pid)
        pidDescriptor = descriptor
        guard descriptor >= 0 else {
            let error = SystemError("pidfd_open")
            pipes.closeOurs()
            Self.killAndReap(pid)
            throw error
        }
        do throws(SystemError) {
            try watch(pipes, bytes)
        } catch {
            self.delegate = nil
            close()
            throw error
        }
    }

    private func watch(_ pipes: ChildPipes, _ bytes: [UInt8]) throws(SystemError) {
        // Each takes over its descriptor, also if it fails.
        let readers = Result { () throws(SystemError) in
            output = try PipeReader(pipes.output.ours, on: loop) { [unowned self] in wrote($0) }
        }
        let complaints = Result { () throws(SystemError) in
            errors = try PipeReader(pipes.errors.ours, on: loop) { [unowned self] in
                if let bytes = $0 { delegate?.childWroteErrors(bytes) }
            }
        }
        let writers = Result { () throws(SystemError) in
            input = try PipeWriter(pipes.input.ours, bytes, on: loop)
        }
        try readers.get()
        try complaints.get()
        try writers.get()
        try loop.add(pidDescriptor, .readable, self)
    }

    private func wrote(_ bytes: UnsafeRawBufferPointer?) {
        if let bytes {
            delegate?.childWroteOutput(bytes)
        } else {
            delegate?.childEndedOutput()
            notifyIfOver()
        }
    }

    /// Reads no more of its output, so that it waits as soon as the pipe is full.
    public func pauseOutput() { output?.pause() }

    public func resumeOutput() {
        output?.resume()
        if exitStatus != nil { output?.finish() }
    }

    /// Whether its standard output has ended.
    public var hasEndedOutput: Bool { output?.isClosed ?? true }

    /// The program has ended. What it left behind in its group ends too, and what it wrote is read.
    public func ready(_ readiness: Readiness) {
        guard exitStatus == nil else { return }
        exitStatus = Self.killAndReap(pid)
        loop.remove(pidDescriptor)
        Glibc.close(pidDescriptor)
        input?.close()
        errors?.finish()
        output?.finish()
        notifyIfOver()
    }

    private func notifyIfOver() {
        guard let exitStatus, hasEndedOutput, let delegate else { return }
        self.delegate = nil
        delegate.childEnded(exitStatus)
    }

    /// Ends it and all of its group; no more of its output is delivered.
    /// ``ChildProcessDelegate/childEnded(_:)`` comes soon after.
    public func kill() {
        if exitStatus == nil { Glibc.kill(-pid, SIGKILL) }
        output?.close()
        notifyIfOver()
    }

    /// Ends it at once, without another call to the delegate: the loop ends, or it could not be
    /// watched.
    public func close() {
        guard !isClosed else { return }
        isClosed = true
        delegate = nil
        for pipe in [output, errors] { pipe?.close() }
        input?.close()
        guard exitStatus == nil else { return }
        exitStatus = Self.killAndReap(pid)
        loop.remove(pidDescriptor)
        Glibc.close(pidDescriptor)
    }

    /// The group first: until its leader is reaped, no other process gets its number.
    @discardableResult
    private static func killAndReap(_ pid: pid_t) -> Int32 {
        Glibc.kill(-pid, SIGKILL)
        var status: Int32 = 0
        while waitpid(pid, &status, 0) < 0 && errno == EINTR {}
        return status
    }

    /// A status of `waitpid` in words: `exit code 3`, `signal 9`.
    public static func describe(_ status: Int32) -> String {
        let signal = status & 0x7F
        return signal == 0 ? "exit code \(status >> 8 & 0xFF)" : "signal \(signal)"
    }
}

/// Standard input, output and error of a process.
private struct ChildPipes {
    let input: PipeEnds
    let output: PipeEnds
    let errors: PipeEnds

    init() throws(SystemError) {
        var made: [PipeEnds] = []
        do throws(SystemError) {
            for weWrite in [true, false, false] { made.append(try PipeEnds(weWrite: weWrite)) }
        } catch {
            for pipe in made { pipe.close() }
            throw error
        }
        (input, output, errors) = (made[0], made[1], made[2])
    }

    private var all: [PipeEnds] { [input, output, errors] }
    func closeTheirs() { for pipe in all { close(pipe.theirs) } }
    func closeOurs() { for pipe in all { close(pipe.ours) } }
    func closeAll() { for pipe in all { pipe.close() } }
}

extension ChildProcess.Command {
    fileprivate func spawn(_ pipes: ChildPipes) throws(SystemError) -> pid_t {
        try ProcessLaunch(
            path: path, arguments: arguments, environment: environment, folder: folder,
            descriptors: [pipes.input.theirs, pipes.output.theirs, pipes.errors.theirs],
            leadsGroup: true
        ).spawn()
    }
}
