import Foundation
import TestSupport
import Testing

@testable import HandlerBuild

@Suite("Programs side by side")
struct CommandRunnerTests {
    private let folder: String
    private let cancellation: Cancellation
    private let runner: CommandRunner

    init() throws {
        folder = try TemporaryFiles.makeFolder()
        cancellation = try Cancellation()
        runner = CommandRunner(
            environment: ["PATH=/usr/bin:/bin"], cancellation: cancellation)
    }

    private func shell(_ script: String, log: String = "log") -> Command {
        Command(arguments: ["/bin/sh", "-c", script], log: "\(folder)/\(log)")
    }

    @Test("both streams go into the log, and nothing is there to read")
    func log() throws {
        #expect(try runner.run(shell("cat; echo out; echo error >&2")))
        #expect(FileSystem.text(folder + "/log") == "out\nerror\n")
        #expect(try !runner.run(shell("exit 3")))
        #expect(try !runner.run(shell("kill -9 $$")))
    }

    @Test("each is reported once", arguments: [1, 2, 10])
    func many(_ limit: Int) throws {
        let commands = (0..<6).map { shell("exit \($0 % 2)", log: "log\($0)") }
        var ends: [Int: Bool] = [:]
        try runner.run(commands, limit: limit) { ends[$0] = $1 }
        #expect(ends == [0: true, 1: false, 2: true, 3: false, 4: true, 5: false])
    }

    @Test("as many at a time as are allowed")
    func limit() throws {
        // Each takes the folder, and fails if another one has it.
        let script = "mkdir '\(folder)/one' && sleep 0.02 && rmdir '\(folder)/one'"
        var successes = 0
        try runner.run((0..<4).map { shell(script, log: "log\($0)") }, limit: 1) {
            successes += $1 ? 1 : 0
        }
        #expect(successes == 4)
    }

    @Test("all of a group ends when the build is stopped")
    func cancelled() throws {
        let script = "sleep 60 & echo $! >'\(folder)/pid'; wait"
        let cancellation = cancellation
        let pidFile = folder + "/pid"
        let thread = Thread {
            while FileSystem.text(pidFile)?.hasSuffix("\n") != true { usleep(1_000) }
            cancellation.cancel()
        }
        thread.start()
        #expect(throws: BuildError.cancelled) { try runner.run(shell(script)) }
        let pid = try #require(
            FileSystem.text(pidFile).flatMap { Int32($0.dropLast()) })
        // Killed, which takes a moment, if its new parent has not taken it away yet.
        func isGone() -> Bool {
            guard let state = FileSystem.text("/proc/\(pid)/stat") else { return true }
            return state.contains(") Z") || state.contains(") X")
        }
        let end = ContinuousClock.now + .seconds(10)
        var hasGone = isGone()
        while !hasGone && ContinuousClock.now < end {
            sched_yield()
            hasGone = isGone()
        }
        #expect(hasGone)
    }

    @Test("a program that is not there")
    func missing() {
        let command = Command(arguments: ["/proc/none"], log: folder + "/log")
        #expect(throws: BuildError.self) { try runner.run(command) }
    }
}
