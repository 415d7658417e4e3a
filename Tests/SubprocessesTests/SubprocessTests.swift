import EventLoop
import Foundation
import LoopTesting
import Testing

@testable import Subprocesses

@Suite("Programs that run for a task")
struct SubprocessTests {
    /// Runs a shell script while `body` runs.
    func shell<Value>(
        _ script: String, settings: SubprocessSettings = SubprocessSettings(),
        onErrorLine: (@Sendable (String) -> Void)? = nil,
        _ body: (Subprocess) async throws -> Value
    ) async throws -> Value {
        try await withSubprocess(
            "/bin/sh", ["-c", script], settings: settings, onErrorLine: onErrorLine, body)
    }

    func lines(_ script: String, limit: Int = 1_000) async throws -> [String] {
        var settings = SubprocessSettings()
        settings.lineByteLimit = limit
        return try await shell(script, settings: settings) { process in
            var lines: [String] = []
            for try await line in process.lines { lines.append(line) }
            return lines
        }
    }

    // MARK: Output

    @Test("no bytes of the output, and less than none", arguments: [0, -1, Int.min])
    func noBytes(_ byteCount: Int) async throws {
        try await shell("echo a") { process in
            let none = try await process.read(exactly: byteCount)
            let all = try await process.read(exactly: 2)
            #expect(none == [])
            #expect(all == Array("a\n".utf8))
        }
    }

    @Test(
        "lines, without their ends",
        arguments: [
            ("printf 'a\\nb\\r\\n\\n c'", ["a", "b", "", " c"]), ("true", []),
            ("printf '\\n'", [""]), ("printf 'gr\\303\\274\\303\\237e\\n'", ["grüße"]),
            ("printf 'x\\377y\\n\\000z\\n'", ["x\u{FFFD}y", "\u{0}z"]),
            ("printf '%s\\n' 1 2; sleep 0.05; printf 3; sleep 0.05; echo 4", ["1", "2", "34"]),
        ])
    func outputLines(_ script: String, _ expected: [String]) async throws {
        #expect(try await lines(script) == expected)
    }

    @Test("the longest line passes, one byte more does not")
    func longLines() async throws {
        #expect(try await lines("printf 'abc\\r\\n'; printf abc", limit: 3) == ["abc", "abc"])
        for script in ["printf 'abcd\\n'", "printf abcd", "yes | tr -d '\\n'"] {
            await #expect(throws: SubprocessError.lineTooLong(byteLimit: 3)) {
                try await lines(script, limit: 3)
            }
        }
    }

    @Test("all of a long output comes, in order, however it is read")
    func longOutput() async throws {
        #expect(try await lines("seq 100000") == (1...100_000).map { "\($0)" })
        try await shell("seq 100000") { process in
            var bytes: [UInt8] = []
            for try await piece in process.pieces { bytes += piece }
            #expect(bytes == (1...100_000).flatMap { Array("\($0)\n".utf8) })
        }
        try await shell("printf 12345") { process in
            let first = try await process.read(exactly: 2)
            let second = try await process.read(exactly: 4)
            let third = try await process.read(exactly: 1)
            #expect(first == Array("12".utf8) && second == Array("345".utf8) && third == nil)
        }
    }

    @Test("a program whose output nobody takes waits")
    func outputWaits() async throws {
        // It counts what it could write, a KiB at a time, into a file.
        let file = FileManager.default.temporaryDirectory.path + "/\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: file) }
        let script = """
            block=$(printf '%1023s' x)
            for i in $(seq 1000); do echo "$block"; echo $i >\(file); done
            """
        try await shell(script) { process in
            func written() -> Int {
                let text = try? String(contentsOfFile: file, encoding: .utf8)
                return text.flatMap { Int($0.dropLast()) } ?? 0
            }
            // The mark, a read, and the pipe.
            while written() < 64 { await Task.yield() }
            var last = -1
            while last != written() {
                last = written()
                try await Task.sleep(for: .milliseconds(100))
            }
            #expect(last <= 64 + 64 + 64 + 2)
            var count = 0
            for try await _ in process.lines { count += 1 }
            #expect(count == 1_000)
        }
    }

    // MARK: Input

    @Test("much there and back")
    func thereAndBack() async throws {
        let piece = (0..<100_000).map { UInt8($0 % 251) }
        try await withSubprocess("/bin/cat") { process in
            async let received = process.read(exactly: 20 * piece.count)
            for _ in 0..<20 { try await process.write(piece) }
            let all = try await received
            #expect(all == Array(repeatElement(piece, count: 20).joined()))
            await process.endInput()
            let status = try await process.exitStatus()
            #expect(status == .exited(code: 0))
            await #expect(throws: SubprocessError.inputClosed) { try await process.write("x") }
        }
    }

    @Test("a program that does not read makes its writers wait")
    func inputWaits() async throws {
        try await shell("exec sleep 600") { process in
            // More than a pipe holds: the rest waits, and the next one waits for that.
            try await process.write([UInt8](repeating: 0, count: 1 << 20))
            let second = Task { () -> SubprocessError? in
                do throws(SubprocessError) {
                    try await process.write("x")
                    return nil
                } catch {
                    return error
                }
            }
            while process.run.loop.isCurrent { await Task.yield() }
            while await process.run.onLoop({ $0.writers.count }) == 0 { await Task.yield() }
            second.cancel()
            #expect(await second.value == .cancelled)
            #expect(await process.run.onLoop { $0.writers.count } == 0)
        }
    }

    @Test("a program that closes its input goes on to write")
    func closedInput() async throws {
        try await shell("exec 0<&-; echo ready; sleep 0.2; echo more") { process in
            var iterator = process.lines.makeAsyncIterator()
            let first = try await iterator.next()
            #expect(first == "ready")
            var isTaken = true
            while isTaken {
                do throws(SubprocessError) {
                    try await process.write("x\n")
                } catch {
                    #expect(error == .inputClosed)
                    isTaken = false
                }
            }
            let second = try await iterator.next()
            #expect(second == "more")
        }
    }

    // MARK: Elsewhere

    @Test("its errors come as lines, as many as may in a second")
    func errors() async throws {
        let lines = Watched<[String]>([])
        var settings = SubprocessSettings()
        settings.errorLineLimitPerSecond = 3
        try await shell(
            "echo one >&2; printf two >&2", settings: settings,
            onErrorLine: { line in lines.update { $0.append(line) } }
        ) { _ = try await $0.exitStatus() }
        #expect(lines.value == ["one", "two"])
        lines.update { $0 = [] }
        try await shell(
            "yes | head -10000 >&2", settings: settings,
            onErrorLine: { line in lines.update { $0.append(line) } }
        ) { _ = try await $0.exitStatus() }
        #expect(lines.value.prefix(3) == ["y", "y", "y"] && lines.value.count < 200)
        #expect(lines.value.last?.hasSuffix("more lines, not logged)") == true)
    }

    @Test("in a task on a loop all of it runs there")
    func onLoop() throws {
        try withLoop { loop in
            let result = Watched<Bool?>(nil)
            let kept = Unchecked(loop.loop)
            try loop {
                Task(executorPreference: kept.value) {
                    let isThere = try? await withSubprocess("/bin/echo", ["x"]) { process in
                        var iterator = process.lines.makeAsyncIterator()
                        let line = try await iterator.next()
                        return line == "x" && process.run.loop === kept.value
                            && kept.value.isCurrent
                    }
                    result.update { $0 = isThere ?? false }
                }
                return Unchecked(())
            }
            #expect(result.wait { $0 != nil } && result.value == true)
        }
    }

    @Test("a loop that ends takes its programs along")
    func endOfLoop() throws {
        let result = Watched<ExitStatus?>(nil)
        try withLoop { loop in
            let started = Watched(false)
            let kept = Unchecked(loop.loop)
            try loop {
                Task(executorPreference: kept.value) {
                    try await withSubprocess("/bin/sleep", ["600"]) { process in
                        started.set()
                        let status = try await process.exitStatus()
                        result.update { $0 = status }
                    }
                }
                return Unchecked(())
            }
            #expect(started.wait())
        }
        #expect(result.wait { $0 != nil } && result.value == .signalled(SIGKILL))
    }
}
