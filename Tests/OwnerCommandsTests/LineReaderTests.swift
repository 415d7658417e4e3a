import Testing

@testable import OwnerCommands

@Suite("Lines of standard input")
struct LineReaderTests {
    struct Case: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let input: [UInt8]
        let expected: [InputMessage.Content]

        init(_ name: String, _ input: String, _ expected: [String?]) {
            self.init(name, Array(input.utf8), expected.map { $0.map(Self.bytes) ?? .tooLong })
        }

        init(_ name: String, _ input: [UInt8], _ expected: [InputMessage.Content]) {
            testDescription = name
            self.input = input
            self.expected = expected
        }

        static func bytes(_ text: String) -> InputMessage.Content { .bytes(Array(text.utf8)) }
    }

    /// The limit is 5 bytes.
    static let cases = [
        Case("nothing", "", []),
        Case("one", "a\n", ["a"]),
        Case("two", "a\nbc\n", ["a", "bc"]),
        Case("no end at the end", "a\nbc", ["a", "bc"]),
        Case("empty ones", "\n\na\n\n", ["", "", "a", ""]),
        Case("CR LF", "a\r\nb\r\n", ["a", "b"]),
        Case("CR in the middle", "a\rb\n", ["a\rb"]),
        Case("two CR", "a\r\r\n", ["a\r"]),
        Case("CR at the end", "a\r", ["a\r"]),
        Case("as long as may be", "abcde\nabcde\r\nabcde", ["abcde", "abcde", "abcde"]),
        Case("one too long", "abcdef\nb\n", [nil, "b"]),
        Case("much too long", String(repeating: "x", count: 100) + "\nb\n", [nil, "b"]),
        Case("too long at the end", "b\nabcdef", ["b", nil]),
        Case("much too long at the end", "b\n" + String(repeating: "x", count: 100), ["b", nil]),
        Case("too long with CR LF", "abcdef\r\nb\n", [nil, "b"]),
        Case("UTF-8", "é€\n", ["é€"]),
        Case("NUL", "a\0b\n", ["a\0b"]),
        Case(
            "not UTF-8", [0x61, 0xFF, 0x0A, 0x62, 0x0A, 0xC3, 0x0A, 0xC3],
            [.notUTF8, Case.bytes("b"), .notUTF8, .notUTF8]),
    ]

    @Test("lines, and what is wrong with them, however the input is cut", arguments: cases)
    func lines(_ row: Case) {
        for pieceByteCount in 1...max(1, row.input.count) {
            var reader = LineReader(byteLimit: 5)
            var lines: [InputMessage] = []
            var rest = row.input[...]
            while !rest.isEmpty {
                reader.append(rest.prefix(pieceByteCount))
                rest = rest.dropFirst(pieceByteCount)
                while let line = reader.next() { lines.append(line) }
            }
            reader.end()
            while let line = reader.next() { lines.append(line) }
            #expect(lines.map(\.content) == row.expected)
            #expect(lines.map(\.number) == Array(1..<row.expected.count + 1))
        }
    }

    @Test("the number counts lines that are left out")
    func numbers() {
        var reader = LineReader(byteLimit: 1)
        reader.append(Array("a\nbbb\nc\n".utf8))
        #expect(reader.next()?.number == 1)
        #expect(reader.next() == InputMessage(number: 2, content: .tooLong))
        #expect(reader.next()?.number == 3)
        #expect(reader.next() == nil)
    }
}
