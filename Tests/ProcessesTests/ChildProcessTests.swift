import EventLoop
import Foundation
import LoopTesting
import Testing

@testable import Processes

/// Records the calls of a process.
private final class ChildListener: ChildProcessDelegate {
    struct Record: Sendable {
        var output: [UInt8] = []
        var errors = ""
        var hasEndedOutput = false
        var status: Int32?
    }

    let record = Watched(Record())
    var child: ChildProcess?
    var onOutput: () -> Void = {}

    func childWroteOutput(_ bytes: UnsafeRawBufferPointer) {
        record.update { $0.output += bytes }
        onOutput()
    }
    func childEndedOutput() { record.update { $0.hasEndedOutput = true } }
    func childWroteErrors(_ bytes: UnsafeRawBufferPointer) {
        record.update { $0.errors += String(decoding: bytes, as: UTF8.self) }
    }
    func childEnded(_ status: Int32) {
        child = nil
        record.update { $0.status = status }
    }
}

extension ProcessesTests {
    @Suite("Child processes")
    struct ChildProcessTests {
        private func command(_ script: String) -> ChildProcess.Command {
            ChildProcess.Command(
                path: "/bin/sh", arguments: ["sh", "-c", script],
                environment: ["A=b c", "PATH=/usr/bin:/bin"],
                folder: "/usr")
        }

        private func run(
            _ script: String, _ input: [UInt8] = [], on loop: RunningLoop
        ) throws -> ChildListener {
            try loop {
                let listener = ChildListener()
                listener.child = try ChildProcess(
                    command(script), input: input, on: loop.loop, delegate: listener)
                return Unchecked(listener)
            }.value
        }

        @Test(
            arguments: [
                ("printf \"$A\"; pwd >&2; exit 3", "b c", "/usr\n", 3 << 8),
                ("cat", "input", "", 0), ("exec 1>&-; cat >&2", "", "input", 0),
                ("kill -9 $$", "", "", 9),
                (
                    "env | grep -v -e ^PWD -e ^SHLVL -e ^_ -e ^OLDPWD | sort",
                    "A=b c\nPATH=/usr/bin:/bin\n", "", 0
                ),
            ] as [(String, String, String, Int32)])
        func ends(_ script: String, _ output: String, _ errors: String, _ status: Int32) throws {
            try withLoop { loop in
                let listener = try run(script, Array("input".utf8), on: loop)
                #expect(listener.record.wait { $0.status != nil })
                let record = listener.record.value
                #expect(record.output == Array(output.utf8) && record.errors == errors)
                #expect(record.status == status && record.hasEndedOutput)
            }
        }

        /// More in both directions than pipes hold.
        @Test func muchThereAndBack() throws {
            let input = (0..<1_000_000).map { UInt8($0 % 251) }
            try withLoop { loop in
                let listener = try run("cat", input, on: loop)
                #expect(listener.record.wait { $0.status == 0 })
                #expect(listener.record.value.output == input)
            }
        }

        /// Nothing of ours is open there, also what was not closed on exec (3 is the folder that
        /// `ls` reads), and no signal is blocked.
        @Test func inheritsNothing() throws {
            try withLoop { loop in
                let leak = open("/dev/null", O_RDONLY)
                defer { close(leak) }
                let listener = try run(
                    "ls /proc/self/fd | tr '\\n' ' '; "
                        + "grep -E 'Sig(Blk|Ign)' /proc/$$/status | cut -f2",
                    on: loop)
                #expect(listener.record.wait { $0.status == 0 })
                let text = String(decoding: listener.record.value.output, as: UTF8.self)
                let words = text.split(whereSeparator: \.isWhitespace)
                #expect(words.prefix(4) == ["0", "1", "2", "3"] && words.count == 6)
                // 32 and 33 are the C library's own, which it ignores here.
                #expect(
                    words.suffix(2).allSatisfy {
                        UInt64($0, radix: 16).map { $0 & 0x7FFF_FFFF } == 0
                    })
            }
        }

        /// What it left behind holds the pipe open and is ended with it.
        @Test func leavesNobodyBehind() throws {
            try withLoop { loop in
                let listener = try run("sleep 600 & echo $!", on: loop)
                #expect(listener.record.wait { $0.status == 0 })
                try expectGone(listener)
            }
        }

        @Test func killEndsAllOfTheGroup() throws {
            try withLoop { loop in
                let listener = try run("sleep 600 & echo $!; wait", on: loop)
                #expect(listener.record.wait { $0.output.last == 10 })
                let kept = Unchecked(listener)
                try loop { kept.value.child?.kill() }
                #expect(listener.record.wait { $0.status == SIGKILL })
                try expectGone(listener)
            }
        }

        private func expectGone(_ listener: ChildListener) throws {
            let text = String(decoding: listener.record.value.output, as: UTF8.self)
            let pid = try #require(pid_t(text.trimmingCharacters(in: .whitespacesAndNewlines)))
            // Killed, which takes a moment, if not yet taken away by its new parent.
            func isGone() -> Bool {
                let status = try? String(contentsOfFile: "/proc/\(pid)/stat", encoding: .utf8)
                return status.map { $0.contains(") Z") || $0.contains(") X") } ?? true
            }
            let end = Date(timeIntervalSinceNow: deadline)
            // Asked once more, it might be between two of these states.
            var hasGone = isGone()
            while !hasGone && Date() < end {
                sched_yield()
                hasGone = isGone()
            }
            #expect(hasGone)
        }

        /// A reader that pauses makes it wait; nothing is lost when it goes on, even after its end.
        @Test func pauses() throws {
            try withLoop { loop in
                let listener = try loop {
                    let listener = ChildListener()
                    listener.onOutput = { [unowned listener] in listener.child?.pauseOutput() }
                    listener.child = try ChildProcess(
                        command("head -c 200000 /dev/zero"), input: [], on: loop.loop,
                        delegate: listener)
                    return Unchecked(listener)
                }.value
                #expect(listener.record.wait { !$0.output.isEmpty })
                let kept = Unchecked(listener)
                while listener.record.value.status == nil {
                    let before = listener.record.value.output.count
                    try loop { kept.value.child?.resumeOutput() }
                    guard
                        listener.record.wait(until: { $0.output.count > before || $0.status != nil }
                        )
                    else {
                        Issue.record("nothing came")
                        return
                    }
                }
                #expect(listener.record.value.output.count == 200_000)
            }
        }

        @Test(arguments: ["/nowhere/at/all", "/etc/passwd", "/usr"])
        func cannotBeRun(_ path: String) throws {
            try withLoop { loop in
                let command = ChildProcess.Command(
                    path: path, arguments: [path], environment: [], folder: "/")
                let before = try Self.openPipeCount()
                // Often, since other tests open and close pipes meanwhile.
                let attemptCount = 200
                for _ in 0..<attemptCount {
                    try loop {
                        #expect(throws: SystemError.self) {
                            try ChildProcess(
                                command, input: [], on: loop.loop, delegate: ChildListener())
                        }
                    }
                }
                let after = try Self.openPipeCount()
                #expect(after - before < attemptCount, "none is left open")
            }
        }

        /// The pipes' ends that this process has. Sockets do not count: other tests open thousands.
        private static func openPipeCount() throws -> Int {
            let folder = "/proc/self/fd"
            return try FileManager.default.contentsOfDirectory(atPath: folder).count { name in
                let target = try? FileManager.default.destinationOfSymbolicLink(
                    atPath: "\(folder)/\(name)")
                return target?.hasPrefix("pipe:") == true
            }
        }

        /// The end of the loop is the end of the process.
        @Test func loopEnds() throws {
            let listener = Watched<Unchecked<ChildListener>?>(nil)
            try withLoop { loop in
                let made = try run("sleep 600 & echo $!; wait", on: loop)
                #expect(made.record.wait { $0.output.last == 10 })
                listener.update { $0 = Unchecked(made) }
            }
            try expectGone(try #require(listener.value).value)
        }
    }
}
