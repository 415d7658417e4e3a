import EventLoop
import Glibc

/// What a child process calls. All calls come on the loop's thread.
public protocol ChildProcessDelegate: AnyObject {
    /// From its standard output; valid for this call.
    func childWroteOutput(_ bytes: UnsafeRawBufferPointer)
    /// Its standard output has ended; it may go on for a while.
    func childEndedOutput()
    /// From its standard error; valid for this call.
    func childWroteErrors(_ bytes: UnsafeRawBufferPointer)
    /// Its standard input took all that waited for it, or never will.
    func childTookInput()
    /// In place of all other calls: the loop has ended, and the program with it.
    func childWasAbandoned()
    /// The last call: its output has ended and it is gone, with all of its group.
    ///
    /// - Parameter status: of `waitpid`.
    func childEnded(_ status: Int32)
}

extension ChildProcessDelegate {
    public func childTookInput() {}
    public func childWasAbandoned() {}
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

        /// The folder that a program lies in, whose path is absolute.
        package static func folder(of path: String) -> String {
            let slash = path.utf8.lastIndex(of: UInt8(ascii: "/"))
            let folder = slash.map { String(path[..<$0]) } ?? ""
            return folder.isEmpty ? "/" : folder
        }
    }

    /// `nil`: it has ended.
    private var process: SpawnedProcess?
    private var input: PipeWriter?
    private var output: PipeReader?
    private var errors: PipeReader?
    private var delegate: (any ChildProcessDelegate)?
    private var exitStatus: Int32?
    private var isDiscarding = false

    /// Starts the program.
    ///
    /// - Parameter bytes: its standard input, which ends behind them; `nil`: it ends with
    ///   ``endInput()``.
    /// - Throws: why it cannot be started: no such file, not executable, no more descriptors.
    public init(
        _ command: Command, input bytes: [UInt8]? = nil, on loop: Loop,
        delegate: any ChildProcessDelegate
    ) throws(SystemError) {
        let input = try PipeEnds(weWrite: true)
        let output = try PipeEnds(weWrite: false)
        let errors = try PipeEnds(weWrite: false)
        process = try SpawnedProcess(
            ProcessLaunch(
                path: command.path, arguments: command.arguments,
                environment: command.environment, folder: command.folder,
                descriptors: [input.theirs.number, output.theirs.number, errors.theirs.number],
                leadsGroup: true))
        do throws(SystemError) {
            self.output = try PipeReader(output.ours, on: loop) { [unowned self] in wrote($0) }
            self.errors = try PipeReader(errors.ours, on: loop) { [unowned self] in
                if let bytes = $0 { self.delegate?.childWroteErrors(bytes) }
            }
            self.input = PipeWriter(input.ours, on: loop) { [unowned self] in
                self.delegate?.childTookInput()
            }
            try process?.descriptor.watch(.readable, by: self, on: loop)
        } catch {
            close()
            throw error
        }
        self.delegate = delegate
        guard let bytes else { return }
        write(bytes)
        endInput()
    }

    private func wrote(_ bytes: UnsafeRawBufferPointer?) {
        if let bytes {
            if !isDiscarding { delegate?.childWroteOutput(bytes) }
        } else {
            delegate?.childEndedOutput()
            notifyIfOver()
        }
    }

    public var processIdentifier: Int32? { process?.pid }

    /// Writes into its standard input; what that does not take now waits.
    public func write(_ bytes: [UInt8]) { input?.write(bytes) }

    /// What waits for its standard input to take it.
    public var queuedInputByteCount: Int { input?.queuedByteCount ?? 0 }

    /// False after ``endInput()``, and once it is known that the program reads no more.
    public var takesInput: Bool { input?.isOpen ?? false }

    /// Ends its standard input behind what was written.
    public func endInput() { input?.end() }

    /// Sends a signal to all of its group.
    public func signal(_ number: Int32) { process?.signal(number) }

    /// From now on its output is read and dropped: it need not wait for anybody to end.
    public func discardOutput() {
        isDiscarding = true
        resumeOutput()
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
        guard let status = process.take()?.killAndReap() else { return }
        exitStatus = status
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
        process?.signal(SIGKILL)
        output?.close()
        notifyIfOver()
    }

    /// Ends it at once, without another call to the delegate: the loop ends, or it could not be
    /// watched.
    public func close() {
        let abandoned = delegate
        delegate = nil
        for pipe in [output, errors] { pipe?.close() }
        input?.close()
        if let status = process.take()?.killAndReap() { exitStatus = status }
        abandoned?.childWasAbandoned()
    }
}
