import EventLoop
import Glibc
import Processes

/// A program that runs for a task, with what waits for it.
///
/// | phase     | event                                    | next      |
/// | --------- | ---------------------------------------- | --------- |
/// | `running` | ``beginEnding()``                        | `ending`  |
/// | any       | it is gone, and its output has ended     | `over`    |
///
/// While it is ending, its input ends; then comes SIGTERM after
/// ``SubprocessSettings/inputEndTimeout``, and SIGKILL after ``SubprocessSettings/stopTimeout``,
/// each to all of its group.
///
/// `@unchecked Sendable`: everything mutable is touched on the loop's thread only.
final class SubprocessRun: LoopBound, @unchecked Sendable {
    enum Phase {
        case running
        case ending(hasSignalled: Bool)
        case over(ExitStatus)
    }

    let loop: Loop
    let settings: SubprocessSettings
    private(set) var processIdentifier: Int32 = 0
    var child: ChildProcess?
    private(set) var phase = Phase.running
    var output = SubprocessOutput()
    /// The one that waits for output.
    var reader: PendingRead?
    /// Those that wait to write, in their order.
    var writers: [PendingWrite] = []
    private var endWaiters: [Waiter<ExitStatus?>] = []
    private var errorLines: ErrorLines
    private let onErrorLine: (@Sendable (String) -> Void)?
    /// Given back when the program has ended.
    private var place: SubprocessLimit.Place?
    private lazy var timer = loop.makeTimer { [unowned self] in timedOut() }

    init(
        on loop: Loop, _ settings: SubprocessSettings, _ place: SubprocessLimit.Place,
        onErrorLine: (@Sendable (String) -> Void)?
    ) {
        self.loop = loop
        self.settings = settings
        self.place = place
        self.onErrorLine = onErrorLine
        errorLines = ErrorLines(
            countLimit: settings.errorLineLimitPerSecond, in: .seconds(1))
    }

    /// On the loop's thread.
    func start(_ command: ChildProcess.Command) throws(SubprocessError) {
        do throws(SystemError) {
            let child = try ChildProcess(command, on: loop, delegate: self)
            self.child = child
            processIdentifier = child.processIdentifier ?? 0
        } catch {
            throw .notStarted(path: command.path, reason: "\(error)")
        }
    }

    // MARK: - The end

    /// Has it end, and drops what it still writes.
    func beginEnding() {
        guard case .running = phase, let child else { return }
        phase = .ending(hasSignalled: false)
        child.endInput()
        failWriters(.inputClosed)
        loop.schedule(timer, after: settings.inputEndTimeout)
        output.hasEnded = true
        serveReader()
        // The last: it may be over then.
        child.discardOutput()
    }

    private func timedOut() {
        guard case .ending(let hasSignalled) = phase else { return }
        if hasSignalled {
            child?.kill()
        } else {
            phase = .ending(hasSignalled: true)
            child?.signal(SIGTERM)
            loop.schedule(timer, after: settings.stopTimeout)
        }
    }

    /// Has it end and waits for that, whether the task is cancelled or not.
    nonisolated(nonsending) func end() async -> ExitStatus? {
        await wait { run, waiter in
            run.beginEnding()
            run.startWaitingForEnd(waiter)
        }
    }

    /// Waits until it has ended by itself.
    ///
    /// - Returns: `nil` if it did not within `timeout`, or the task was cancelled.
    nonisolated(nonsending) func exitStatus(within timeout: Duration?) async -> ExitStatus? {
        await wait(timeout: timeout) { run, waiter in
            run.startWaitingForEnd(waiter)
        } interrupt: { run, number, _ in
            run.endWaiters.resume(number, returning: nil)
        }
    }

    private func startWaitingForEnd(_ waiter: Waiter<ExitStatus?>) {
        if case .over(let status) = phase { return waiter.resume(returning: status) }
        endWaiters.append(waiter)
    }

    private func end(_ status: ExitStatus) {
        if case .over = phase { return }
        phase = .over(status)
        loop.cancel(timer)
        child = nil
        place = nil
        output.hasEnded = true
        serveReader()
        failWriters(.inputClosed)
        report(errorLines.finish(at: loop.now))
        endWaiters.resumeAll(returning: status)
    }

    private func report(_ lines: [String]) {
        for line in lines { onErrorLine?(line) }
    }
}

// MARK: - What the program does

extension SubprocessRun: ChildProcessDelegate {
    func childWroteOutput(_ bytes: UnsafeRawBufferPointer) {
        output.append(bytes)
        serveReader()
        if reader == nil && output.count >= settings.outputByteMark { child?.pauseOutput() }
    }

    func childEndedOutput() {
        output.hasEnded = true
        serveReader()
    }

    func childWroteErrors(_ bytes: UnsafeRawBufferPointer) {
        report(errorLines.take(bytes, at: loop.now))
    }

    func childTookInput() { serveWriters() }

    func childEnded(_ status: Int32) { end(ExitStatus(waitStatus: status)) }

    func childWasAbandoned() { end(.signalled(SIGKILL)) }
}
