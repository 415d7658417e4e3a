import HTTPProtocol
import TestSupport
import Testing

@Suite("RFC 9112 §6–7 Request bodies")
struct RequestBodyTests {
    enum Result: Hashable, Sendable {
        case body(String, consumedByteCount: Int)
        case incomplete
        case failed(RequestBodyError)
    }

    private static let limit = 100

    /// RFC 9112 §7.1 for the chunks. The limit is 100 bytes.
    static let rows: [Row<(BodyFraming, String), Result>] = [
        Row("none", (.none, "GET"), .body("", consumedByteCount: 0)),
        Row("length 0", (.length(0), "GET"), .body("", consumedByteCount: 0)),
        Row("length", (.length(5), "helloGET"), .body("hello", consumedByteCount: 5)),
        Row("cut", (.length(5), "hell"), .incomplete),
        Row(
            "at the limit", (.length(100), String(repeating: "x", count: 100)),
            .body(String(repeating: "x", count: 100), consumedByteCount: 100)),
        Row("over the limit", (.length(101), ""), .failed(.tooLong(byteLimit: 100))),
        Row(
            "chunks", (.chunked, "5\r\nhello\r\n1\r\n!\r\n0\r\n\r\nGET"),
            .body("hello!", consumedByteCount: 21)),
        Row("no chunk", (.chunked, "0\r\n\r\n"), .body("", consumedByteCount: 5)),
        Row(
            "hexadecimal", (.chunked, "0A\r\n0123456789\r\n000\r\n\r\n"),
            .body("0123456789", consumedByteCount: 23)),
        Row(
            "extensions", (.chunked, "1;a=b;c=\"d\"\r\nx\r\n0 ;e\r\n\r\n"),
            .body("x", consumedByteCount: 24)),
        Row("trailer", (.chunked, "0\r\nA: b\r\nC: d\r\n\r\n"), .body("", consumedByteCount: 17)),
        Row("cut in the data", (.chunked, "5\r\nhel"), .incomplete),
        Row("cut in the end", (.chunked, "0\r\n"), .incomplete),
        Row(
            "too long in all",
            (.chunked, "64\r\n" + String(repeating: "x", count: 100) + "\r\n1\r\n"),
            .failed(.tooLong(byteLimit: 100))),
        Row("huge", (.chunked, "FFFFFFFFFFFFFFF\r\n"), .failed(.tooLong(byteLimit: 100))),
        Row("over 64 bits", (.chunked, "10000000000000000\r\n"), .failed(.malformedChunk)),
        Row("no size", (.chunked, "\r\n"), .failed(.malformedChunk)),
        Row("sign", (.chunked, "+1\r\nx"), .failed(.malformedChunk)),
        Row("0x", (.chunked, "0x1\r\nx"), .failed(.malformedChunk)),
        Row("bare LF", (.chunked, "1\nx"), .failed(.malformedChunk)),
        Row("data too long", (.chunked, "1\r\nxy\r\n"), .failed(.malformedChunk)),
        Row("control character", (.chunked, "1;\u{1}\r\nx"), .failed(.malformedChunk)),
        Row(
            "endless extension", (.chunked, "1;" + String(repeating: "x", count: 5_000)),
            .failed(.malformedChunk)),
        Row(
            "endless trailer",
            (.chunked, "0\r\n" + String(repeating: "a: 0123456789\r\n", count: 400)),
            .failed(.malformedChunk)),
    ]

    private func read(_ framing: BodyFraming, _ pieces: [ArraySlice<UInt8>]) -> Result {
        do throws(RequestBodyError) {
            var reader = try RequestBodyReader(framing, byteLimit: Self.limit)
            var consumed = 0
            for piece in pieces {
                let count = piece.withUnsafeBytes { bytes in
                    Swift.Result { () throws(RequestBodyError) in try reader.read(bytes) }
                }
                consumed += try count.get()
            }
            guard reader.isComplete else { return .incomplete }
            return .body(
                String(decoding: reader.content, as: UTF8.self), consumedByteCount: consumed)
        } catch {
            return .failed(error)
        }
    }

    @Test("whole, byte by byte and at each cut", arguments: rows)
    func bodies(_ row: Row<(BodyFraming, String), Result>) {
        let bytes = Array(row.input.1.utf8)
        let framing = row.input.0
        #expect(read(framing, [bytes[...]]) == row.expected)
        #expect(read(framing, bytes.indices.map { bytes[$0...$0] }) == row.expected)
        for cut in stride(from: 0, through: bytes.count, by: max(1, bytes.count / 256)) {
            #expect(read(framing, [bytes[..<cut], bytes[cut...]]) == row.expected, "cut at \(cut)")
        }
    }

    /// Any bytes are a body, the beginning of one, or an error, the same however they are cut.
    @Test func random() {
        var generator = SeededGenerator(seed: 9_112)
        let letters = Array("0123aF\r\n;x".utf8)
        for _ in 0..<20_000 {
            let length = Int.random(in: 0...24, using: &generator)
            let bytes = (0..<length).map { _ in
                letters[Int.random(in: 0..<letters.count, using: &generator)]
            }
            let whole = read(.chunked, [bytes[...]])
            #expect(read(.chunked, bytes.indices.map { bytes[$0...$0] }) == whole)
        }
    }
}
