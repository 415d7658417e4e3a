import Glibc
import Testing

@testable import client

@Suite("Lines of the input")
struct InputLinesTests {
    /// With a limit of 5 bytes.
    static let rows: [(name: String, input: [UInt8], lines: [InputLines.Next])] = [
        ("nothing", [], [.end]),
        ("one", Array("abc\n".utf8), [.line("abc"), .end]),
        ("without an end", Array("a\nb".utf8), [.line("a"), .line("b"), .end]),
        (
            "empty ones", Array("\n\r\n\na".utf8),
            [.line(""), .line(""), .line(""), .line("a"), .end]
        ),
        ("CR LF", Array("a\r\nb\rc\r\n".utf8), [.line("a"), .line("b\rc"), .end]),
        (
            "as long as may be", Array("12345\n12345\r\n".utf8),
            [.line("12345"), .line("12345"), .end]
        ),
        ("as long as may be, at the end", Array("12345".utf8), [.line("12345"), .end]),
        ("one more", Array("a\n123456\nb".utf8), [.line("a"), .tooLong]),
        ("one more, at the end", Array("123456".utf8), [.tooLong]),
        ("one more and CR LF", Array("123456\r\n".utf8), [.tooLong]),
        ("no end in sight", Array("1234567890".utf8), [.tooLong]),
        ("é counts 2", Array("ééé\n".utf8), [.tooLong]),
        ("not UTF-8", [0xFF, 0x0A], [.line("\u{FFFD}"), .end]),
    ]

    /// What comes of the input if it is written in these pieces.
    private func lines(_ pieces: [ArraySlice<UInt8>], byteLimit: Int = 5) throws -> [InputLines
        .Next]
    {
        var ends: [Int32] = [0, 0]
        try #require(pipe(&ends) == 0)
        defer { close(ends[0]) }
        let lines = InputLines(ends[0], byteLimit: byteLimit)
        var result: [InputLines.Next] = []
        var isOver = false
        func take() {
            // Only as long as it does not block.
            while !isOver, let next = lines.nextIfThere() {
                result.append(next)
                isOver = next == .end || next == .tooLong
            }
        }
        for piece in pieces {
            _ = piece.withUnsafeBytes { write(ends[1], $0.baseAddress, $0.count) }
            if !piece.isEmpty && !isOver { lines.readSome() }
            take()
        }
        close(ends[1])
        while !isOver {
            let next = lines.waitForNext()
            result.append(next)
            isOver = next == .end || next == .tooLong
        }
        return result
    }

    @Test("whole, byte by byte and at each cut", arguments: rows)
    func everySplit(_ name: String, _ input: [UInt8], _ expected: [InputLines.Next]) throws {
        #expect(try lines([input[...]]) == expected, "whole")
        #expect(try lines(input.indices.map { input[$0...$0] }) == expected, "byte by byte")
        for cut in input.indices {
            #expect(try lines([input[..<cut], input[cut...]]) == expected, "cut at \(cut)")
        }
    }

    @Test("lines longer than what one read brings")
    func long() throws {
        // A pipe holds 64 KiB.
        let input = Array((String(repeating: "x", count: 60_000) + "\ny\n").utf8)
        #expect(
            try lines([input[...]], byteLimit: 1 << 20)
                == [.line(String(repeating: "x", count: 60_000)), .line("y"), .end])
    }
}
