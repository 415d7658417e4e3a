import HTTPProtocol
import TestSupport
import Testing

@Suite("RFC 9112 §4 Status line")
struct ResponseHeadTests {
    @Test func bytesOfAHead() throws {
        var fields: Fields = ["Upgrade": "websocket", "Connection": "Upgrade"]
        try fields.append("X-Name", "naïve")
        let head = ResponseHead(status: .switchingProtocols, fields: fields)
        let expected = """
            HTTP/1.1 101 Switching Protocols\r
            Upgrade: websocket\r
            Connection: Upgrade\r
            X-Name: naïve\r
            \r\n
            """
        #expect(String(decoding: head.serialized(), as: UTF8.self) == expected)
        let outcome = everySplit(response: expected)
        #expect(outcome == .complete(head, consumedByteCount: expected.utf8.count))
    }

    @Test(arguments: [
        Row("phrase", "HTTP/1.1 404 Not  Found", "404 Not  Found"),
        Row("empty phrase", "HTTP/1.1 200 ", "200"),
        Row("no space, as many servers", "HTTP/1.1 200", "200"),
        Row("HTTP/1.0", "HTTP/1.0 200 OK", "200 OK"),
        Row("unregistered", "HTTP/1.1 999 \u{E9}t\u{E9}", "999 été"),
    ])
    func accepts(_ row: Row<String, String>) throws {
        let outcome = everySplit(response: row.input + "\r\n\r\n")
        let head = try #require(outcome.head)
        #expect(head.status.description == row.expected)
        #expect(everySplit(head.serialized()) { responseOutcome($0) }.head == head)
    }

    @Test(arguments: [
        Row("empty line before", "\r\nHTTP/1.1 200 OK", ResponseError.head(.leadingEmptyLine)),
        Row("a request", "GET / HTTP/1.1", .malformedStatusLine),
        Row("two digits", "HTTP/1.1 99 No", .malformedStatusLine),
        Row("four digits", "HTTP/1.1 1010 No", .malformedStatusLine),
        Row("below 100", "HTTP/1.1 099 No", .malformedStatusLine),
        Row("sign", "HTTP/1.1 +10 No", .malformedStatusLine),
        Row("two spaces", "HTTP/1.1  200 OK", .malformedStatusLine),
        Row("control in the phrase", "HTTP/1.1 200 O\u{1B}K", .malformedStatusLine),
        Row("HTTP/2.0", "HTTP/2.0 200 OK", .unsupportedVersion(.init(major: 2, minor: 0))),
        Row("folded field", "HTTP/1.1 200 OK\r\nA: b\r\n c", .head(.foldedLine)),
        Row("bare LF", "HTTP/1.1 200 OK\nA: b", .head(.bareLineFeed)),
    ])
    func refuses(_ row: Row<String, ResponseError>) {
        #expect(everySplit(response: row.input + "\r\n\r\n") == .failed(row.expected))
    }

    @Test func limits() {
        let bytes = Array(("HTTP/1.1 200 " + String(repeating: "a", count: 100)).utf8)
        let limits = RequestHeadLimits(headByteLimit: 64)
        let outcome = everySplit(bytes) { responseOutcome($0, limits: limits) }
        #expect(outcome == .failed(.head(.headTooLong(byteLimit: 64))))
    }
}

@Suite("RFC 9110 §15 Status codes")
struct StatusTests {
    @Test func registeredPhrases() {
        #expect(Status.switchingProtocols.description == "101 Switching Protocols")
        #expect(Status.upgradeRequired.description == "426 Upgrade Required")
        #expect(Status(431)?.reasonPhrase == "Request Header Fields Too Large")
        #expect(Status(299)?.reasonPhrase == "")
        #expect(Status(200, reasonPhrase: "Fine")?.description == "200 Fine")
        #expect(Status(200, reasonPhrase: "Fine") == .ok)
    }

    @Test(arguments: [
        Row("99", 99, false), Row("100", 100, true), Row("999", 999, true),
        Row("1000", 1_000, false), Row("negative", -200, false),
    ])
    func range(_ row: Row<Int, Bool>) {
        #expect((Status(row.input) != nil) == row.expected)
    }

    @Test func noLineEndsInAPhrase() {
        #expect(Status(200, reasonPhrase: "OK\r\nSet-Cookie: a=b") == nil)
    }
}
