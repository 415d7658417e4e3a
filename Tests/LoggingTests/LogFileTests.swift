import EventLoop
import Foundation
import TestSupport
import Testing

@testable import Logging

/// A folder of its own.
private func withFolder(_ body: (String) throws -> Void) throws {
    try body(try TemporaryFiles.makeFolder(" log tests"))
}

private func settings(_ byteLimit: Int, _ countLimit: Int, _ format: LogFormat = .text)
    -> LogSettings
{
    var settings = LogSettings()
    settings.fileByteLimit = byteLimit
    settings.fileCountLimit = countLimit
    settings.format = format
    return settings
}

private func lines(_ path: String) throws -> [String] {
    try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n").map(String.init)
}

private func names(_ folder: String) throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: folder).sorted()
}

@Suite("Log files")
struct LogFileTests {
    @Test("rotation by size keeps so many files, the newest lines in the first")
    func rotation() throws {
        try withFolder { folder in
            let log = try Log(settings(500, 2), path: folder + "/log")
            for number in 0..<100 {
                log(.info, "line \(number) \(String(repeating: "x", count: 60))")
            }
            #expect(try names(folder) == ["log", "log.1", "log.2"])
            let kept = try ["log.2", "log.1", "log"].flatMap { try lines(folder + "/" + $0) }
            let numbers = kept.compactMap { Int($0.split(separator: " ")[4]) }
            #expect(numbers == Array((100 - kept.count)..<100) && kept.count > 8)
            for name in try names(folder) {
                let size = try FileManager.default.attributesOfItem(atPath: folder + "/" + name)[
                    .size]
                #expect((size as? Int).map { $0 <= 500 } == true)
            }
        }
    }

    @Test("a line longer than the limit is written all the same")
    func longLine() throws {
        try withFolder { folder in
            let log = try Log(settings(100, 3), path: folder + "/log")
            let long = String(repeating: "y", count: 1_000)
            for _ in 0..<3 { log(.info, long) }
            #expect(try names(folder) == ["log", "log.1", "log.2"])
            #expect(try lines(folder + "/log.2").first?.hasSuffix(long) == true)
        }
    }

    static let unrotated: [(byteLimit: Int, countLimit: Int)] = [(0, 5), (100, 0), (0, 0)]

    @Test("zero means never", arguments: unrotated)
    func never(_ byteLimit: Int, _ countLimit: Int) throws {
        try withFolder { folder in
            let log = try Log(settings(byteLimit, countLimit), path: folder + "/log")
            for _ in 0..<50 { log(.info, "hello") }
            #expect(try names(folder) == ["log"] && lines(folder + "/log").count == 50)
        }
    }

    @Test("it goes on where the last run stopped")
    func appends() throws {
        try withFolder { folder in
            for run in 0..<3 {
                let log = try Log(settings(100, 5), path: folder + "/log")
                log(.info, "run \(run) " + String(repeating: "z", count: 60))
            }
            #expect(try names(folder) == ["log", "log.1", "log.2"])
        }
    }

    @Test("many threads write whole lines, none is lost", arguments: LogFormat.allCases)
    func threads(_ format: LogFormat) throws {
        try withFolder { folder in
            let log = try Log(settings(20_000, 1_000, format), path: folder + "/log")
            DispatchQueue.concurrentPerform(iterations: 8) { thread in
                for number in 0..<500 { log(.info, "<\(thread) \(number)>") }
            }
            let all = try names(folder).flatMap { try lines(folder + "/" + $0) }
            let isWhole: (String) -> Bool = { line in
                format == .text
                    ? line.hasSuffix(">") && line.filter { $0 == "<" }.count == 1
                    : (try? JSONSerialization.jsonObject(with: Data(line.utf8))) != nil
            }
            #expect(all.count == 4_000 && Set(all.map { $0.drop { $0 != "<" } }).count == 4_000)
            #expect(all.allSatisfy(isWhole))
            #expect(try names(folder).count > 5)
        }
    }

    @Test("reopened after another program moved it")
    func reopen() throws {
        try withFolder { folder in
            let log = try Log(settings(100_000, 5), path: folder + "/log")
            log(.info, "before")
            try FileManager.default.moveItem(atPath: folder + "/log", toPath: folder + "/log-old")
            log(.info, "meanwhile")
            log.reopen()
            log(.info, "after")
            #expect(try lines(folder + "/log-old").count == 2)
            #expect(try lines(folder + "/log").last?.hasSuffix("after") == true)
        }
    }

    @Test("a file that another program moved is not rotated over the new one")
    func movedAway() throws {
        try withFolder { folder in
            let log = try Log(settings(200, 5), path: folder + "/log")
            log(.info, "one")
            try FileManager.default.moveItem(atPath: folder + "/log", toPath: folder + "/mine")
            try "another's\n".write(toFile: folder + "/log", atomically: false, encoding: .utf8)
            for _ in 0..<5 { log(.info, String(repeating: "w", count: 60)) }
            #expect(try lines(folder + "/mine").count >= 2)
            #expect(try names(folder).contains("log.1"))
            let first = try names(folder).filter { $0.hasPrefix("log") }.map {
                try lines(folder + "/" + $0)[0]
            }
            #expect(first.contains("another's"))
        }
    }

    @Test("a folder that vanished does not stop the log")
    func vanished() throws {
        try withFolder { folder in
            let log = try Log(settings(200, 5), path: folder + "/log")
            try FileManager.default.removeItem(atPath: folder)
            for _ in 0..<20 { log(.info, String(repeating: "v", count: 60)) }
            log.reopen()
            try FileManager.default.createDirectory(
                atPath: folder, withIntermediateDirectories: true)
            log.reopen()
            log(.info, "back")
            #expect(try lines(folder + "/log").last?.hasSuffix("back") == true)
        }
    }

    @Test("lines lost to an error are counted and reported once lines can be written")
    func failed() throws {
        // A named pipe that loses its reader inside a line, and gets another one.
        Loop.ignoreBrokenPipes()
        let path = try TemporaryFiles.makeFolder("failing log") + "/fifo"
        #expect(mkfifo(path, 0o600) == 0)
        var reader = open(path, O_RDONLY | O_NONBLOCK)
        let writer = open(path, O_WRONLY)
        defer { for end in [reader, writer] { close(end) } }
        let log = Log(LogSettings(), descriptor: writer)
        let text = String(repeating: "f", count: 10_000)
        for _ in 0..<40 { log(.info, text) }
        close(reader)
        #expect(log.flush(within: .seconds(50)))
        for _ in 0..<10 { log(.info, text) }
        // The thread that wrote the first lines may have taken some of these too.
        #expect(log.flush(within: .seconds(50)))
        reader = open(path, O_RDONLY | O_NONBLOCK)
        var taken = [UInt8](repeating: 0, count: 200_000)
        let first = read(reader, &taken, taken.count)
        let whole = taken[..<max(0, first)].count { $0 == UInt8(ascii: "\n") }
        log(.info, "a reader again")
        #expect(log.flush(within: .seconds(50)))
        let second = read(reader, &taken, taken.count)
        let lines = String(decoding: taken[..<max(0, second)], as: UTF8.self).split(separator: "\n")
        #expect(first > 60_000 && lines.count == 2 && taken.first == UInt8(ascii: "\n"))
        let report = lines.first.map(String.init) ?? ""
        let loss = " \(50 - whole) log lines before this were lost: write: Broken pipe"
        #expect(report.contains(loss))
        #expect(lines.last?.hasSuffix("a reader again") == true)
    }

    @Test("devices are not renamed")
    func device() throws {
        let log = try Log(settings(10, 5), path: "/dev/null")
        for _ in 0..<10 { log(.info, "nothing") }
        #expect(!FileManager.default.fileExists(atPath: "/dev/null.1"))
    }

    @Test("what a person asked for is one object in JSON")
    func announce() throws {
        try withFolder { folder in
            let log = try Log(settings(0, 0, .json), path: folder + "/log")
            log.announce("two\nlines")
            let line = try #require(try lines(folder + "/log").first)
            let object =
                try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: any Sendable]
            #expect(object?["message"] as? String == "two\nlines")
        }
    }

    @Test("lines about compression have a level of their own")
    func compressionLevel() throws {
        try withFolder { folder in
            var settings = LogSettings(level: .error)
            settings.compressionLevel = .debug
            let log = try Log(settings, path: folder + "/log")
            log(.warning, "not this")
            log.compression(.debug, "this")
            log.peerEvent(.failedConnection, .info, isAboutCompression: true, "and this")
            log.peerEvent(.failedConnection, .info, "nor this")
            #expect(try lines(folder + "/log").count == 2)
        }
    }
}
