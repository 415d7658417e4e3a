import HTTPProtocol
import TestSupport
import Testing

/// What is looked at in pieces of eight and sixteen bytes, at every length and with the byte that
/// matters at every place of it.
@Suite("Bytes of a head, several at a time")
struct ByteWordsTests {
    private static let lengths = 1...40

    /// A line with `byte` at one place of the value, between letters.
    private static func lines(with byte: UInt8, _ length: Int) -> [[UInt8]] {
        (0..<length).map { place in
            var value = [UInt8](repeating: UInt8(ascii: "v"), count: length)
            value[place] = byte
            return Array("A:x".utf8) + value + Array("x".utf8)
        }
    }

    private static func outcome(_ line: [UInt8]) -> RequestOutcome {
        let request = Array("GET / HTTP/1.1\r\n".utf8) + line + Array("\r\n\r\n".utf8)
        return requestOutcome([request[...]])
    }

    @Test(arguments: [
        Row("NUL", UInt8(0x00), HeadError.invalidValueByte(0x00)),
        Row("unit separator", 0x1F, .invalidValueByte(0x1F)),
        Row("DEL", 0x7F, .invalidValueByte(0x7F)),
        Row("CR", 0x0D, .bareCarriageReturn),
        Row("LF", 0x0A, .bareLineFeed),
    ])
    func aByteThatNoValueHas(_ row: Row<UInt8, HeadError>) {
        for line in Self.lengths.flatMap({ Self.lines(with: row.input, $0) }) {
            #expect(Self.outcome(line) == .failed(.head(row.expected)), "\(hexDump(line))")
        }
    }

    @Test(arguments: [
        Row("space", UInt8(0x20), " "), Row("tab", 0x09, "\t"), Row("last of ASCII", 0x7E, "~"),
        Row("first above ASCII", 0x80, "\u{80}"), Row("last byte", 0xFF, "\u{FF}"),
    ])
    func aByteThatAValueHas(_ row: Row<UInt8, String>) throws {
        for line in Self.lengths.flatMap({ Self.lines(with: row.input, $0) }) {
            let expected = line.dropFirst(2).reduce(into: "") { text, byte in
                text += byte == row.input ? row.expected : String(Unicode.Scalar(byte))
            }
            let head = try #require(Self.outcome(line).head)
            #expect(head.fields.map(\.value) == [expected])
            #expect(head.fields["a"]?.utf8.count == expected.utf8.count)
        }
    }

    /// Each of the 256 bytes at each place of a name.
    @Test func bytesOfAName() {
        let marks = Set(
            "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ".utf8)
        for length in [1, 7, 8, 15, 16, 17, 33] {
            for place in 0..<length {
                for byte in UInt8.min ... .max where ![0x0A, 0x0D, 0x3A].contains(byte) {
                    var name = [UInt8](repeating: UInt8(ascii: "n"), count: length)
                    name[place] = byte
                    let outcome = Self.outcome(name + Array(": a value that is long".utf8))
                    if marks.contains(byte) {
                        #expect(outcome.head?.fields.map { Array($0.name.utf8) } == [name])
                    } else if place == 0 && (byte == 0x20 || byte == 0x09) {
                        #expect(outcome == .failed(.head(.foldedLine)))
                    } else {
                        #expect(outcome == .failed(.head(.invalidNameByte(byte))))
                    }
                }
            }
        }
    }

    @Test func namesOfEveryLengthIgnoreCase() throws {
        for length in Self.lengths {
            let name = String(repeating: "n", count: length)
            for place in 0..<length {
                func marked(_ mark: String) -> String {
                    String(repeating: "n", count: place) + mark
                        + String(repeating: "n", count: length - place - 1)
                }
                var fields = Fields()
                try fields.append(name, "1")
                try fields.append(marked("^"), "2")
                #expect(fields[marked("N")] == "1")
                #expect(fields[marked("m")] == nil)
                // They differ as a small letter and its capital do, and are none.
                #expect(fields[marked("^")] == "2" && fields[marked("~")] == nil)
                #expect(fields[name + "n"] == nil)
            }
        }
    }

    /// The end of a line at each place of a head, seen from its start.
    @Test func linesOfEveryLength() throws {
        for length in 0...70 {
            let value = String(repeating: "v", count: length)
            let request = "GET / HTTP/1.1\r\nA: \(value)\r\nB: \(value)\r\n\r\n"
            let head = try #require(everySplit(request: request).head)
            #expect(head.fields.map(\.value) == [value, value])
        }
    }
}
