import EventLoop
import Glibc
import Logging

/// What a build has to say to a person, on standard error or into a text.
///
/// `@unchecked Sendable`: used by one thread at a time, that of the build.
package final class BuildOutput: @unchecked Sendable {
    private let isQuiet: Bool
    private let hasTerminal: Bool
    /// A log, because writing to standard error may take for ever, and signals would wait then.
    private let log = Log(level: .info)
    private var hasProgress = false
    private let began = MonotonicTime.current()
    private var lastStep = (at: MonotonicTime.current(), text: "")
    /// What was said, if this is quiet.
    package private(set) var text = ""

    /// - Parameter isQuiet: keeps messages in ``text`` and leaves progress out.
    package init(isQuiet: Bool) {
        self.isQuiet = isQuiet
        hasTerminal = isatty(STDERR_FILENO) == 1
    }

    /// Compilers' messages, in whole lines.
    package func message(_ lines: String) {
        if isQuiet { return text += lines }
        clearProgress()
        log.print(lines)
    }

    /// A sentence of this program's own.
    package func note(_ sentence: String) { message("standalone.sh: \(sentence)\n") }

    /// A sentence for whoever started this build; a rebuild leaves it out.
    func aside(_ sentence: String) { if !isQuiet { note(sentence) } }

    func progress(_ sentence: String) {
        guard !isQuiet else { return }
        guard hasTerminal else { return note(sentence) }
        log.print("\r\u{1B}[K\(sentence.prefix(79))")
        hasProgress = true
    }

    /// On a terminal each second with the seconds since the start, elsewhere a line now and then.
    func step(_ sentence: String) {
        let now = MonotonicTime.current()
        let pause: Duration = hasTerminal ? .seconds(1) : .seconds(10)
        guard now >= lastStep.at + pause, hasTerminal || sentence != lastStep.text else { return }
        lastStep = (now, sentence)
        let seconds = (now.nanoseconds - began.nanoseconds) / 1_000_000_000
        progress("\(sentence) (\(seconds) s)")
    }

    func stepOnTerminal(_ sentence: String) { if hasTerminal { progress(sentence) } }

    func clearProgress() {
        guard hasProgress else { return }
        hasProgress = false
        log.print("\r\u{1B}[K")
    }

    /// How long ``flush()`` waits for a terminal that was stopped or a pipe that nobody reads. Then
    /// the program goes on, and what was not written is lost.
    private static let flushTimeLimit: Duration = .seconds(10)

    /// Waits until all is written, for some time at most. Before the process ends or becomes
    /// another program.
    package func flush() { log.flush(within: Self.flushTimeLimit) }
}
