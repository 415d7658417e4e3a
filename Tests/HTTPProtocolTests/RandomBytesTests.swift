import HTTPProtocol
import TestSupport
import Testing

/// Any bytes either give a head or throw the parser's error; never trap, never exceed the limits,
/// same outcome for every split.
@Suite("Random bytes")
struct RandomBytesTests {
    private static let limits = RequestHeadLimits(headByteLimit: 200, fieldCountLimit: 4)

    private static let fragments = [
        "GET ", "POST ", "/", "/a?b#c", " ", "HTTP/1.1", "HTTP/1.0", "HTTP/2.0", " 200 ", "OK",
        "\r\n", "\r\n", "\r\n", "\r\n\r\n", "\r", "\n", ":", ": ", "Host: a", "Host", "A: b",
        "Content-Length: 5", "Transfer-Encoding: chunked", "Connection: close", "\t", "\0", "é",
        ",", ";", "\"", "\\", "%41", "=",
    ]

    /// Pieces of heads, now and then damaged.
    private static func bytes(using generator: inout SeededGenerator) -> [UInt8] {
        var bytes: [UInt8] = []
        if Bool.random(using: &generator) {
            bytes += Array("GET / HTTP/1.1\r\n".utf8)
        } else if Bool.random(using: &generator) {
            bytes += Array("HTTP/1.1 101 Switching Protocols\r\n".utf8)
        }
        for _ in 0..<Int.random(in: 0...12, using: &generator) {
            bytes += Array(fragments.randomElement(using: &generator)!.utf8)
        }
        if !bytes.isEmpty, Int.random(in: 0..<4, using: &generator) == 0 {
            let index = bytes.indices.randomElement(using: &generator)!
            bytes[index] = UInt8.random(in: 0...255, using: &generator)
        }
        return bytes
    }

    @Test(arguments: 1...4 as ClosedRange<UInt64>)
    func giveOneOutcome(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        var headCount = 0
        for _ in 0..<300 {
            let bytes = Self.bytes(using: &generator)
            let request = everySplit(bytes) { requestOutcome($0, limits: Self.limits) }
            if case .complete(let head, let byteCount) = request {
                headCount += 1
                #expect(byteCount <= Self.limits.headByteLimit)
                #expect(head.fields.count <= Self.limits.fieldCountLimit)
                // What was accepted can be sent on and means the same.
                let again = everySplit(head.serialized()) { requestOutcome($0) }
                #expect(again.head == head)
            }
            let response = everySplit(bytes) { responseOutcome($0, limits: Self.limits) }
            if let head = response.head {
                let again = everySplit(head.serialized()) { responseOutcome($0) }
                #expect(again.head == head)
            }
        }
        #expect(headCount > 0)
    }

    @Test func giveNoTrapInTheOtherReaders() {
        var generator = SeededGenerator(seed: 5)
        for _ in 0..<3_000 {
            let text = String(decoding: Self.bytes(using: &generator), as: UTF8.self)
            _ = RequestTarget(text)
            _ = Authority(text)
            _ = ResourcePath.percentDecoded(text)
            _ = ResourcePath.hasDotSegments(text)
            _ = Query(text)
            _ = HeaderGrammar.elements(of: text)
            _ = HeaderGrammar.parameterizedElements(of: text)
            var fields = Fields()
            try? fields.append("Cookie", text)
            _ = Cookies(fields)
        }
    }
}
