import EventLoop
import Foundation
import Synchronization
import TestSupport
import Testing

@testable import Logging

/// What a log writes to, and the end at which somebody reads, or does not.
private final class Reader: Sendable {
    enum Kind: CaseIterable {
        case pipe
        /// One that the log must not open again, as that of another user.
        case pipeOfAnother
        case socket
        case terminal
    }

    let log: Log
    let output: Int32
    private let input: Int32
    private let received = Mutex<[UInt8]>([])

    /// - Parameter byteLimit: of the log's queue.
    init(_ kind: Kind, byteLimit: Int = 100_000) throws {
        Loop.ignoreBrokenPipes()
        var ends: [Int32] = [-1, -1]
        switch kind {
        case .pipe, .pipeOfAnother: #expect(pipe(&ends) == 0)
        case .socket: #expect(socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0, &ends) == 0)
        case .terminal:
            // unlockpt and ptsname, which Glibc leaves out.
            var (isLocked, number) = (Int32(0), UInt32(0))
            ends[0] = open("/dev/ptmx", O_RDWR | O_NOCTTY)
            #expect(ioctl(ends[0], 0x4004_5431, &isLocked) == 0)
            #expect(ioctl(ends[0], 0x8004_5430, &number) == 0)
            ends[1] = open("/dev/pts/\(number)", O_RDWR | O_NOCTTY)
            var modes = termios()
            tcgetattr(ends[1], &modes)
            cfmakeraw(&modes)
            tcsetattr(ends[1], TCSANOW, &modes)
        }
        (input, output) = (ends[0], ends[1])
        var settings = LogSettings()
        settings.queueByteLimit = byteLimit
        log = Log(settings, descriptor: output, opensAgain: kind != .pipeOfAnother)
    }

    deinit {
        close(input)
        // Its thread writes to the number that another test gets after this.
        log.flush(within: .seconds(50))
        close(output)
    }

    /// Ctrl-S and Ctrl-Q.
    func stopTerminal() { #expect(tcflow(output, TCOOFF) == 0) }
    func resumeTerminal() { #expect(tcflow(output, TCOON) == 0) }

    func endReading() throws {
        let null = open("/dev/null", O_RDWR)
        #expect(dup2(null, input) == input)
        close(null)
    }

    /// Reads until a line ends with this.
    func lines(upTo end: String) throws -> [String] {
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65_536)
        let end = Array(end.utf8) + [UInt8(ascii: "\n")]
        while !bytes.suffix(end.count).elementsEqual(end) {
            let count = read(input, &buffer, buffer.count)
            try #require(count > 0)
            bytes += buffer[..<count]
        }
        return String(decoding: bytes, as: UTF8.self).split(separator: "\n").map(String.init)
    }
}

/// `…: line 7 xxx` → 7
private func number(_ line: String) -> Int? {
    line.split(separator: " ").drop { $0 != "line" }.dropFirst().first.flatMap { Int($0) }
}

private func lostCount(_ line: String) -> Int? {
    line.contains("before this w") ? line.split(separator: " ").compactMap { Int($0) }.first : nil
}

@Suite("A log that nobody reads", .timeLimit(.minutes(5)))
struct WaitingTests {
    private static let text = String(repeating: "x", count: 100)

    @Test(
        "lines wait, then are left out and counted; who logs never waits",
        arguments: Reader.Kind.allCases)
    private func full(_ kind: Reader.Kind) throws {
        let reader = try Reader(kind)
        for number in 0..<10_000 { reader.log(.info, "line \(number) \(Self.text)") }
        #expect(reader.log.isBehind && !reader.log.flush(within: .milliseconds(1)))
        // Until the thread says how many were left out at the end.
        var (next, keptCount) = (0, 0)
        while next < 10_000 {
            for line in try reader.lines(upTo: "the reader of the log was too slow") {
                guard lostCount(line) == nil else {
                    next += lostCount(line) ?? 0
                    continue
                }
                try #require(number(line) == next, "\(line)")
                (next, keptCount) = (next + 1, keptCount + 1)
            }
        }
        #expect(next == 10_000 && keptCount > 700)
        reader.log(.info, "line 10000")
        #expect(try reader.lines(upTo: "line 10000").count == 1)
    }

    @Test("a slow reader gets all lines in their order", arguments: Reader.Kind.allCases)
    private func slow(_ kind: Reader.Kind) throws {
        let reader = try Reader(kind, byteLimit: 10_000_000)
        let thread = try LoopThread { [log = reader.log] in
            for number in 0..<20_000 { log(.info, "line \(number) \(Self.text)") }
            log(.info, "last")
        }
        let lines = try reader.lines(upTo: "last")
        thread.join()
        #expect(lines.compactMap(number) == Array(0..<20_000) && lines.count == 20_001)
        #expect(reader.log.flush())
    }

    @Test("a terminal that was stopped (Ctrl-S) goes on with all lines")
    func stopped() throws {
        let reader = try Reader(.terminal)
        reader.log(.info, "line 0")
        #expect(try reader.lines(upTo: "line 0").count == 1)
        reader.stopTerminal()
        for number in 1..<100 { reader.log(.info, "line \(number) end") }
        #expect(reader.log.isBehind)
        reader.resumeTerminal()
        #expect(try reader.lines(upTo: "line 99 end").compactMap(number) == Array(1..<100))
    }

    @Test("others who have the descriptor find it as it was", arguments: Reader.Kind.allCases)
    private func shared(_ kind: Reader.Kind) throws {
        let reader = try Reader(kind)
        for _ in 0..<3_000 { reader.log(.info, Self.text) }
        #expect(fcntl(reader.output, F_GETFL) & O_NONBLOCK == 0)
    }

    @Test("the lines of several processes stay whole")
    func several() throws {
        let reader = try Reader(.pipe, byteLimit: 10_000_000)
        let other = Log(reader.log.settings, descriptor: reader.output)
        for number in 0..<5_000 {
            reader.log(.info, "line \(number) \(Self.text)")
            other(.info, "line \(number) \(Self.text)")
        }
        let thread = try LoopThread { [log = reader.log] in
            #expect(log.flush(within: .seconds(50)) && other.flush(within: .seconds(50)))
            log(.info, "last")
        }
        let lines = try reader.lines(upTo: "last")
        thread.join()
        #expect(lines.dropLast().allSatisfy { $0.hasSuffix(Self.text) && number($0) != nil })
        #expect(lines.count == 10_001)
    }

    @Test("a line longer than the queue has room in an empty one")
    func long() throws {
        let reader = try Reader(.pipe, byteLimit: 1_000)
        let long = String(repeating: "y", count: 200_000)
        reader.log(.info, long)
        reader.log(.info, "left out")
        let lines = try reader.lines(
            upTo: "1 log line before this was lost: the reader of the log was too slow")
        #expect(lines.count == 2 && lines[0].hasSuffix(long))
    }

    @Test("a reader that has gone costs lines, and no time", arguments: [false, true])
    func gone(_ isBehind: Bool) throws {
        let reader = try Reader(.pipe)
        if isBehind { for _ in 0..<2_000 { reader.log(.info, Self.text) } }
        try reader.endReading()
        for _ in 0..<2_000 { reader.log(.info, Self.text) }
        #expect(reader.log.flush(within: .seconds(50)))
    }
}

@Suite("A log that is a named pipe", .timeLimit(.minutes(5)))
struct NamedPipeTests {
    @Test("nobody waits for its reader, who gets the first lines too")
    func noReader() throws {
        let path = try TemporaryFiles.makeFolder("named pipe") + "/fifo"
        #expect(mkfifo(path, 0o600) == 0)
        let log = try Log(LogSettings(), path: path)
        #expect(log.isNamedPipe)
        log(.info, "first")
        let reader = open(path, O_RDONLY)
        defer { close(reader) }
        log(.info, "second")
        var buffer = [UInt8](repeating: 0, count: 1_000)
        let count = read(reader, &buffer, buffer.count)
        let lines = String(decoding: buffer[..<max(0, count)], as: UTF8.self).split(separator: "\n")
        #expect(lines.count == 2 && lines[0].hasSuffix("first") && lines[1].hasSuffix("second"))
    }

    @Test("lines that wait go to the file that takes its place")
    func reopened() throws {
        let path = try TemporaryFiles.makeFolder("named pipe") + "/fifo"
        #expect(mkfifo(path, 0o600) == 0)
        let log = try Log(LogSettings(), path: path)
        for number in 0..<5_000 { log(.info, "line \(number) end") }
        #expect(log.isBehind)
        #expect(unlink(path) == 0)
        log.reopen()
        #expect(log.flush(within: .seconds(50)) && !log.isNamedPipe)
        let lines = try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n")
        let numbers = lines.compactMap { number(String($0)) }
        #expect(numbers.count > 1_000 && numbers.last == 4_999)
        #expect(numbers == Array((5_000 - numbers.count)..<5_000))
        #expect(lines.last?.hasSuffix("the log was reopened and continues here") == true)
    }

    @Test("what cannot be opened says so at once")
    func socket() throws {
        let folder = try TemporaryFiles.makeFolder("no log")
        #expect(throws: SystemError("open(\(folder))", code: EISDIR)) {
            _ = try Log(LogSettings(), path: folder)
        }
    }
}

@Suite("Lines that wait for the log's reader")
struct LogQueueTests {
    private func append(_ text: String, _ queue: inout LogQueue) -> Bool {
        Array((text + "\n").utf8).withUnsafeBytes { queue.append($0) }
    }

    private func takenByteCount(_ queue: inout LogQueue) -> Int? {
        defer { queue.endPiece() }
        return queue.takePiece()?.count
    }

    @Test("a full queue takes lines again when half of it is free")
    func limit() {
        var queue = LogQueue(byteLimit: 10_000)
        let line = String(repeating: "q", count: 99)
        let taken = (0..<150).filter { _ in append(line, &queue) }.count
        #expect(taken == 100 && queue.byteCount == 10_000)
        #expect(takenByteCount(&queue) == 4_000)
        let isRefused = !append(line, &queue)
        #expect(isRefused && takenByteCount(&queue) == 4_000)
        let isAccepted = append(line, &queue)
        #expect(isAccepted && queue.byteCount == 2_100)
    }

    @Test("pieces are whole lines of at most 4 KiB, or one line")
    func pieces() {
        var queue = LogQueue(byteLimit: 100_000)
        let lengths = [1_000, 2_000, 1_093, 1, 3_999, 9_999, 5]
        for length in lengths { _ = append(String(repeating: "p", count: length), &queue) }
        var counts: [Int] = []
        while let piece = queue.takePiece() { counts.append(piece.count) }
        #expect(counts == [4_096, 4_002, 10_000, 6] && queue.isEmpty && !queue.isWritten)
        queue.endPiece()
        #expect(queue.isWritten)
    }
}
