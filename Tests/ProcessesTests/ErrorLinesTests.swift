import EventLoop
import Testing

@testable import Processes

extension ProcessesTests {
    @Suite("Standard error as lines for the log")
    struct ErrorLinesTests {
        private func take(_ lines: inout ErrorLines, _ text: String, second: Int64 = 0) -> [String]
        {
            let now = MonotonicTime(nanoseconds: second * 1_000_000_000)
            return Array(text.utf8).withUnsafeBytes { lines.take($0, at: now) }
        }

        /// However the pipe cuts them.
        @Test func lines() {
            let text = "one\r\ntwo\n\nthree"
            for size in 1...text.utf8.count {
                var lines = ErrorLines(countLimit: 50)
                var taken: [String] = []
                var rest = Array(text.utf8)[...]
                while !rest.isEmpty {
                    let piece = rest.prefix(size)
                    taken += take(&lines, String(decoding: piece, as: UTF8.self))
                    rest = rest.dropFirst(size)
                }
                taken += lines.finish(at: MonotonicTime(nanoseconds: 0))
                #expect(taken == ["one", "two", "three"])
            }
        }

        @Test func longLine() {
            var lines = ErrorLines(countLimit: 50)
            let long = String(repeating: "x", count: 5_000)
            #expect(take(&lines, long).isEmpty)
            #expect(
                take(&lines, long + "\nnext\n") == [
                    String(long.prefix(ErrorLines.lineByteLimit)), "next",
                ])
        }

        @Test func limitOfARun() {
            var lines = ErrorLines(countLimit: 2)
            #expect(take(&lines, "1\n2\n3\n") == ["1", "2 (the rest is not logged)"])
            #expect(take(&lines, "4\n", second: 1_000).isEmpty)
            #expect(lines.finish(at: MonotonicTime(nanoseconds: 0)).isEmpty)
        }

        @Test func limitOfASecond() {
            var lines = ErrorLines(countLimit: 2, in: .seconds(1))
            #expect(take(&lines, "1\n2\n3\n4\n") == ["1", "2"])
            #expect(take(&lines, "5\n", second: 1) == ["(2 more lines, not logged)", "5"])
            #expect(take(&lines, "6\n7\n", second: 1) == ["6"])
            #expect(
                lines.finish(at: MonotonicTime(nanoseconds: 1_000_000_000)) == [
                    "(1 more line, not logged)"
                ])
        }
    }
}
