import EventLoop
import Foundation
import LoopTesting
import Testing

@testable import Subprocesses

extension SubprocessTests {
    /// Whether no process has this number, or only one that waits to be taken away by others.
    private func isGone(_ pid: Int32) -> Bool {
        let status = try? String(contentsOfFile: "/proc/\(pid)/stat", encoding: .utf8)
        return status.map { $0.contains(") Z") || $0.contains(") X") } ?? true
    }

    // MARK: The end

    @Test(
        "its exit code, or the signal that ended it",
        arguments: [
            ("exit 0", .exited(code: 0)), ("exit 3", .exited(code: 3)),
            ("kill -9 $$", .signalled(SIGKILL)), ("kill -TERM $$", .signalled(SIGTERM)),
        ] as [(String, ExitStatus)])
    func exitStatus(_ script: String, _ status: ExitStatus) async throws {
        #expect(try await shell(script) { try await $0.exitStatus() } == status)
    }

    @Test("one that goes on is not waited for longer than asked")
    func noExitStatus() async throws {
        let status = try await shell("exec sleep 600") {
            try await $0.exitStatus(within: .milliseconds(10))
        }
        #expect(status == nil)
    }

    @Test(
        "it ends with the body: by itself, by SIGTERM, by SIGKILL, while it writes, with its group",
        arguments: [
            "echo; cat", "echo; exec sleep 600", "trap '' TERM; echo; while :; do sleep 0.1; done",
            "yes", "echo; sleep 600 & sleep 600", "exec 1>&-; sleep 600",
            "trap 'exit 0' TERM; echo; while :; do sleep 0.05; done",
        ])
    func endsWithBody(_ script: String) async throws {
        var settings = SubprocessSettings()
        settings.inputEndTimeout = .milliseconds(20)
        settings.stopTimeout = .milliseconds(200)
        let pid = try await shell(script, settings: settings) { process in
            _ = try await process.nextLine()
            return process.processIdentifier
        }
        #expect(isGone(pid))
        // Nobody is left of its group either; one that was killed may not be taken away yet.
        while kill(-pid, 0) == 0 { await Task.yield() }
    }

    @Test("it ends with a task that is cancelled, whatever that waits for")
    func endsWithTask() async throws {
        let pid = Watched<Int32>(0)
        let task = Task {
            try await shell("exec sleep 600") { process in
                pid.update { $0 = process.processIdentifier }
                // Ends with the program only, as nothing of this one is cancelled.
                for try await _ in process.lines {}
                return Task.isCancelled
            }
        }
        while pid.value == 0 { await Task.yield() }
        task.cancel()
        let result = await task.result
        if case .failure(let error) = result {
            #expect(error as? SubprocessError == .cancelled)
        }
        #expect(isGone(pid.value))
    }

    @Test("what leaves its group and floods its output does not keep it", .timeLimit(.minutes(5)))
    func floodBehind() async throws {
        let script = "setsid yes & sleep 0.1; exit 3"
        try await shell(script) { process in
            for try await _ in process.pieces {}
            let status = try await process.exitStatus()
            #expect(status == .exited(code: 3))
        }
    }

    @Test("a hundred, one after the other, leave no descriptor and no process")
    func leavesNothing() async throws {
        func descriptorCount() throws -> Int {
            try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd").count
        }
        _ = try await lines("true")
        let before = try descriptorCount()
        let usedBefore = SubprocessLimit.ofProcess.usedCount
        for _ in 0..<100 { #expect(try await withSubprocess("/bin/true") { _ in 1 } == 1) }
        // Other suites run beside this one.
        #expect(try descriptorCount() <= before + 60)
        #expect(SubprocessLimit.ofProcess.usedCount <= usedBefore + 20)
    }

    // MARK: The start

    @Test("what cannot be run is said, and not run")
    func notStarted() async throws {
        let folder = FileManager.default.temporaryDirectory.path + "/\(UUID().uuidString)"
        try FileManager.default.createDirectory(
            atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let script = folder + "/script"
        try "echo hello\n".write(toFile: script, atomically: true, encoding: .utf8)
        for (path, reason) in [
            ("/does/not/exist", "No such file"), (folder, "Permission denied"),
            (script, "Permission denied"), ("/bin/sh\0", "NUL"),
        ] {
            await #expect {
                try await withSubprocess(path) { _ in }
            } throws: { error in
                guard case .notStarted(let shown, let text) = error as? SubprocessError else {
                    return false
                }
                return shown == path && text.contains(reason)
            }
        }
        chmod(script, 0o755)
        await #expect {
            try await withSubprocess(script) { _ in }
        } throws: { "\($0)".contains("Exec format error") }
    }

    @Test("its environment is what is named, its folder too")
    func environment() async throws {
        let text = try await withSubprocess(
            "/bin/sh", ["-c", "env | grep -v -e ^PWD= -e ^SHLVL= -e ^_= -e ^OLDPWD=; pwd"],
            environment: ["A": "b c", "PATH": "/bin:/usr/bin"], folder: "/usr"
        ) { process in
            var lines: Set<String> = []
            for try await line in process.lines where !line.hasPrefix("LD_") { lines.insert(line) }
            return lines
        }
        #expect(text == ["A=b c", "PATH=/bin:/usr/bin", "/usr"])
    }

    @Test("no more run at a time than may")
    func limit() throws {
        let limit = SubprocessLimit(count: 2)
        let first = try limit.takePlace()
        do {
            let second = try limit.takePlace()
            #expect(throws: SubprocessError.tooManySubprocesses(limit: 2)) {
                try limit.takePlace()
            }
            withExtendedLifetime(second) {}
        }
        #expect(limit.usedCount == 1)
        _ = try limit.takePlace()
        withExtendedLifetime(first) {}
    }
}
