import EventLoop
import Foundation
import TestSupport
import Testing

@testable import WebSocketConnection

@Suite("Lines about connections, written together")
struct PendingLinesTests {
    private let path: String

    init() throws { path = try TemporaryFiles.path(".log") }

    private func makeLog(_ format: LogFormat = .text, byteLimit: Int = 0, joins: Bool = true) throws
        -> Log
    {
        var settings = LogSettings()
        (settings.format, settings.fileByteLimit, settings.joinsConnectionLines) = (
            format, byteLimit, joins
        )
        return try Log(settings, path: path)
    }

    private func open(_ number: Int, on log: Log) throws {
        let peer = try #require(SocketAddress.resolve(host: "127.0.0.1", port: 80).first)
        log.access(
            AccessLine(connectionID: 1, route: "/\(number).", peer: peer, isCompressed: false))
    }

    /// The numbers of the lines, in all files.
    private func written(_ suffixes: [String] = [""]) throws -> [Int] {
        try suffixes.flatMap { suffix in
            try String(contentsOfFile: path + suffix, encoding: .utf8).split(separator: "\n").map {
                line in
                let number = line.drop { $0 != "/" }.dropFirst().prefix { $0.isNumber }
                return try #require(Int(number), "\(line)")
            }
        }
    }

    @Test("they wait for the end of the turn", arguments: LogFormat.allCases)
    func flush(_ format: LogFormat) throws {
        let log = try makeLog(format)
        #expect(log.needsFlush)
        for number in 0..<3 { try open(number, on: log) }
        #expect(try written() == [])
        log.flush()
        log.flush()
        #expect(try written() == [0, 1, 2])
    }

    @Test("any other line comes behind them, and each is written when there is no room for more")
    func order() throws {
        let log = try makeLog()
        try open(0, on: log)
        log(.info, "/1")
        #expect(try written() == [0, 1])
        for number in 2..<200 { try open(number, on: log) }
        let count = try written().count
        #expect(count > 150 && count < 200)
        log.announce("/200")
        #expect(try written() == Array(0...200))
    }

    @Test("they are written at the end of the log, and before its file is opened anew")
    func ends() throws {
        var log: Log? = try makeLog()
        try open(0, on: try #require(log))
        log = nil
        #expect(try written() == [0])
        let second = try makeLog()
        try open(1, on: second)
        try FileManager.default.moveItem(atPath: path, toPath: path + ".old")
        second.reopen()
        #expect(try written([".old"]) == [0, 1])
    }

    @Test("no file is longer than its limit")
    func rotation() throws {
        let log = try makeLog(byteLimit: 500)
        for number in 0..<60 { try open(number, on: log) }
        log.flush()
        let all = try written([".5", ".4", ".3", ".2", ".1", ""])
        #expect(all.count > 10 && all == Array((60 - all.count)..<60))
        for suffix in ["", ".1", ".5"] {
            let size =
                try FileManager.default.attributesOfItem(atPath: path + suffix)[.size] as? Int
            #expect((1...500).contains(size ?? 0))
        }
    }

    @Test("a trap writes them, once")
    func crash() throws {
        let log = try makeLog()
        for number in 0..<2 { try open(number, on: log) }
        let pending = try #require(log.pendingLines)
        pending.crashed()
        pending.crashed()
        #expect(try written() == [0, 1])
        log.flush()
        #expect(try written() == [0, 1])
    }

    @Test("nothing waits where it is not asked for, and for no reader of single lines")
    func atOnce() throws {
        let log = try makeLog(joins: false)
        #expect(!log.needsFlush)
        try open(0, on: log)
        #expect(try written() == [0])
        let told = Watched()
        var settings = LogSettings()
        settings.joinsConnectionLines = true
        try open(1, on: Log(settings) { line in told.append(line) })
        #expect(told.lines.count == 1 && told.lines[0].hasSuffix("info open /1. 127.0.0.1:80"))
    }
}

/// What a log handed over. Touched by one test, on one thread.
private final class Watched: @unchecked Sendable {
    private(set) var lines: [String] = []
    func append(_ line: String) { lines.append(line) }
}
