import EventLoop
import HandlerBuild

/// Builds the program anew, on a thread of its own.
///
/// `@unchecked Sendable`: everything is touched on the loop's thread only; the other thread has
/// the build and hands over what came of it.
package final class Rebuild: @unchecked Sendable {
    /// What to build.
    package struct Builder: Sendable {
        let checkout: Checkout
        let choice: HandlerChoice
        let environment: [String]
        /// The handlers directory, without links and as the author names it.
        package let root: String
        package let shownRoot: String
        /// The program that a build replaces.
        package let program: String

        /// - Parameter environment: `NAME=value`, for the compiler.
        /// - Throws: if there is no such directory of handlers.
        package init(
            _ checkout: Checkout, _ choice: HandlerChoice, environment: [String]
        ) throws(BuildError) {
            (self.checkout, self.choice, self.environment) = (checkout, choice, environment)
            let directory = try HandlerDirectory(choice, checkout)
            (root, shownRoot) = (directory.root, directory.shown)
            program = Build.program(of: directory, checkout, .rebuild)
        }

        fileprivate func build(_ cancellation: Cancellation) -> Outcome? {
            let output = BuildOutput(isQuiet: true)
            do throws(BuildError) {
                let build = try Build(
                    checkout, choice, .rebuild, environment: environment,
                    cancellation: cancellation, output: output)
                guard build.program == program else {
                    throw BuildError(
                        "the handlers directory has changed ('\(shownRoot)'): "
                            + "start the server anew")
                }
                let result = try build.run()
                return Outcome(result, messages: output.text)
            } catch {
                guard error.reason != .cancelled else { return nil }
                var outcome = Outcome()
                outcome.isBuilt = false
                outcome.messages = output.text + "\(error)\n"
                return outcome
            }
        }
    }

    /// What came of it.
    struct Outcome: Equatable, Sendable {
        /// There is a program of what the directory has now, but for what is broken.
        var isBuilt = true
        /// Such as `chat_wsh.swift changed`.
        var changed: [String] = []
        /// Paths below the handlers directory of files which do not compile; what they were before
        /// is still in the program.
        var kept: [String] = []
        /// Which do not compile, and were nothing before that could be kept.
        var broken: [String] = []
        /// Whether there is nothing in the program that was not there before.
        var isUnchanged = false
        /// Whether a new process would serve other programs, though it is the same program itself.
        var changesPrograms = false
        /// Sentences about files that are left alone.
        var skipped: [String] = []
        /// What the compiler said, in lines; or why nothing was built.
        var messages = ""

        init() {}

        init(_ result: Build.Result, messages: String) {
            let report = result.report
            changed = report.changes.map { "\($0.path) \($0.kind.rawValue)" }
            if report.isServerNew { changed.append("the server itself changed") }
            (kept, broken) = (report.kept, report.broken)
            isUnchanged = report.isUnchanged
            changesPrograms = report.changesPrograms
            skipped = result.skipped
            self.messages = messages
            guard result.isRefused else { return }
            isBuilt = false
            self.messages += result.untold + Build.refusal + "\n"
        }
    }

    private var onEnd: ((Outcome) -> Void)?
    private let cancellation: Cancellation
    private var thread: LoopThread?

    /// - Parameter onEnd: called once, not after ``stop()``.
    /// - Throws: why it cannot be started.
    init(
        _ builder: Builder, on loop: Loop, onEnd: @escaping (Outcome) -> Void
    ) throws(SystemError) {
        self.onEnd = onEnd
        let cancellation = try Cancellation()
        self.cancellation = cancellation
        thread = try LoopThread { [self] in
            guard let outcome = builder.build(cancellation) else { return }
            loop.submit { [self] in end(outcome) }
        }
    }

    private func end(_ outcome: Outcome) {
        guard let onEnd else { return }
        self.onEnd = nil
        onEnd(outcome)
    }

    /// Also ends the compilers that run.
    func stop() {
        onEnd = nil
        cancellation.cancel()
        thread?.join()
    }
}
