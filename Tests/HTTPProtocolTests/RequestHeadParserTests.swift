import HTTPProtocol
import TestSupport
import Testing

@Suite("RFC 9112 §3 Request line")
struct RequestLineTests {
    @Test func partsAsOnTheWire() throws {
        let request = "GET /chat?room=1%20a HTTP/1.1\r\nHost: server.example.com\r\n\r\n"
        let outcome = everySplit(request: request)
        let head = try #require(outcome.head)
        #expect(head.method == "GET")
        #expect(head.target == "/chat?room=1%20a")
        #expect(head.version == .http11)
        #expect(head.fields.map(\.name) == ["Host"])
        #expect(head.host == "server.example.com")
        #expect(outcome == .complete(head, consumedByteCount: request.utf8.count))
    }

    static let accepted: [Row<String, String>] = [
        Row("lower-case method is another method", "get / HTTP/1.1\r\n\r\n", "get / HTTP/1.1"),
        Row("HTTP/1.0", "GET / HTTP/1.0\r\n\r\n", "GET / HTTP/1.0"),
        Row("HTTP/1.9", "GET / HTTP/1.9\r\n\r\n", "GET / HTTP/1.9"),
        Row("one empty line before", "\r\nGET / HTTP/1.1\r\n\r\n", "GET / HTTP/1.1"),
        Row("absolute form", "GET ws://h/ HTTP/1.1\r\n\r\n", "GET ws://h/ HTTP/1.1"),
        Row("asterisk form", "OPTIONS * HTTP/1.1\r\n\r\n", "OPTIONS * HTTP/1.1"),
        Row("fragment", "GET /a#b HTTP/1.1\r\n\r\n", "GET /a#b HTTP/1.1"),
        Row("| and ^, as browsers send", "GET /a|b^ HTTP/1.1\r\n\r\n", "GET /a|b^ HTTP/1.1"),
    ]

    @Test(arguments: accepted)
    func accepts(_ row: Row<String, String>) throws {
        let outcome = everySplit(request: row.input)
        let head = try #require(outcome.head)
        #expect("\(head.method) \(head.target) \(head.version)" == row.expected)
        #expect(outcome == .complete(head, consumedByteCount: row.input.utf8.count))
    }

    static let refused: [Row<String, RequestError>] = [
        Row("two empty lines before", "\r\n\r\nGET / HTTP/1.1\r\n\r\n", .head(.leadingEmptyLine)),
        Row("bare LF before", "\nGET / HTTP/1.1\r\n\r\n", .head(.bareLineFeed)),
        Row("bare LF at the end", "GET / HTTP/1.1\nHost: a\r\n\r\n", .head(.bareLineFeed)),
        Row("bare CR in the target", "GET /\ra HTTP/1.1\r\n\r\n", .invalidTargetByte(0x0D)),
        Row("CR CR LF", "GET / HTTP/1.1\r\r\n\r\n", .malformedRequestLine),
        Row("no version", "GET /\r\n\r\n", .malformedRequestLine),
        Row("only a method", "GET\r\n\r\n", .malformedRequestLine),
        Row("two spaces", "GET  / HTTP/1.1\r\n\r\n", .malformedRequestLine),
        Row("space in the target", "GET /a b HTTP/1.1\r\n\r\n", .malformedRequestLine),
        Row("two spaces before the version", "GET /  HTTP/1.1\r\n\r\n", .malformedRequestLine),
        Row("space at the end", "GET / HTTP/1.1 \r\n\r\n", .malformedRequestLine),
        Row("space at the start", " GET / HTTP/1.1\r\n\r\n", .invalidMethod("")),
        Row("tab for a space", "GET\t/ HTTP/1.1\r\n\r\n", .malformedRequestLine),
        Row("method is no token", "G(T / HTTP/1.1\r\n\r\n", .invalidMethod("G(T")),
        Row("non-ASCII method", "GÉT / HTTP/1.1\r\n\r\n", .invalidMethod("GÉT")),
        Row("non-ASCII target", "GET /é HTTP/1.1\r\n\r\n", .invalidTargetByte(0xC3)),
        Row("NUL in the target", "GET /\0 HTTP/1.1\r\n\r\n", .invalidTargetByte(0)),
        Row("DEL in the target", "GET /\u{7F} HTTP/1.1\r\n\r\n", .invalidTargetByte(0x7F)),
        Row("small http", "GET / http/1.1\r\n\r\n", .malformedRequestLine),
        Row("one number", "GET / HTTP/1\r\n\r\n", .malformedRequestLine),
        Row("three digits", "GET / HTTP/1.10\r\n\r\n", .malformedRequestLine),
        Row("not a digit", "GET / HTTP/1.x\r\n\r\n", .malformedRequestLine),
        Row("HTTP/2.0", "PRI * HTTP/2.0\r\n\r\n", .unsupportedVersion(.init(major: 2, minor: 0))),
        Row("HTTP/0.9", "GET / HTTP/0.9\r\n\r\n", .unsupportedVersion(.init(major: 0, minor: 9))),
    ]

    @Test(arguments: refused)
    func refuses(_ row: Row<String, RequestError>) {
        #expect(everySplit(request: row.input) == .failed(row.expected))
    }

    @Test(arguments: [
        Row("version", RequestError.unsupportedVersion(.init(major: 2, minor: 0)), 505),
        Row("request line", .requestLineTooLong(byteLimit: 1), 414),
        Row("head", .head(.headTooLong(byteLimit: 1)), 431),
        Row("fields", .head(.tooManyFields(countLimit: 1)), 431),
        Row("coding", .unsupportedTransferEncoding("gzip, chunked"), 501),
        Row("any other", .head(.foldedLine), 400),
    ])
    func statusOfARefusal(_ row: Row<RequestError, Int>) {
        #expect(row.input.status.code == row.expected)
    }
}

@Suite("RFC 9112 §5 Field lines")
struct FieldLineTests {
    static let accepted: [Row<String, String>] = [
        Row("spaces and tabs around", "A: \t b c \t", "b c"),
        Row("no space", "A:b", "b"),
        Row("empty", "A:", ""),
        Row("white space only", "A:  \t", ""),
        Row("colon in the value", "A: b:c", "b:c"),
        Row("tab inside", "A: b\tc", "b\tc"),
        Row("UTF-8", "A: naïve ✓", "naïve ✓"),
        Row("every kind of token byte", "!#$%&'*+-.^_`|~09azAZ: b", "b"),
    ]

    @Test(arguments: accepted)
    func accepts(_ row: Row<String, String>) throws {
        let outcome = everySplit(request: "GET / HTTP/1.1\r\n\(row.input)\r\n\r\n")
        let head = try #require(outcome.head)
        #expect(head.fields.map(\.value) == [row.expected])
    }

    static let refused: [Row<String, HeadError>] = [
        Row("space before the colon", "A : b\r\n\r\n", .invalidNameByte(0x20)),
        Row("tab before the colon", "A\t: b\r\n\r\n", .invalidNameByte(0x09)),
        Row("no name", ": b\r\n\r\n", .invalidNameByte(0x3A)),
        Row("name is no token", "A(: b\r\n\r\n", .invalidNameByte(0x28)),
        Row("non-ASCII name", "É: b\r\n\r\n", .invalidNameByte(0xC3)),
        Row("NUL in the name", "A\0: b\r\n\r\n", .invalidNameByte(0)),
        Row("no colon", "A\r\n\r\n", .missingColon),
        Row("folded with a space", "A: b\r\n c\r\n\r\n", .foldedLine),
        Row("folded with a tab", "A: b\r\n\tc\r\n\r\n", .foldedLine),
        Row("folded first line", " A: b\r\n\r\n", .foldedLine),
        Row("line of spaces", "A: b\r\n  \r\n\r\n", .foldedLine),
        Row("NUL in the value", "A: b\0c\r\n\r\n", .invalidValueByte(0)),
        Row("escape in the value", "A: \u{1B}c\r\n\r\n", .invalidValueByte(0x1B)),
        Row("DEL in the value", "A: b\u{7F}\r\n\r\n", .invalidValueByte(0x7F)),
        Row("bare CR in the value", "A: b\rB: c\r\n\r\n", .bareCarriageReturn),
        Row("bare CR in the name", "A\rB: c\r\n\r\n", .bareCarriageReturn),
        Row("CR CR LF", "A: b\r\r\n\r\n", .bareCarriageReturn),
        Row("bare LF", "A: b\nB: c\r\n\r\n", .bareLineFeed),
        Row("bare LF for the empty line", "A: b\r\n\n", .bareLineFeed),
        Row("LF LF", "A: b\n\n", .bareLineFeed),
    ]

    @Test(arguments: refused)
    func refuses(_ row: Row<String, HeadError>) {
        let outcome = everySplit(request: "GET / HTTP/1.1\r\n" + row.input)
        #expect(outcome == .failed(.head(row.expected)))
        #expect(outcome.failure?.status == .badRequest)
    }

    @Test func bytesThatAreNotUTF8AreLatin1() throws {
        let bytes = Array("GET / HTTP/1.1\r\nA: caf".utf8) + [0xE9, 0xFF, 0x0D, 0x0A, 0x0D, 0x0A]
        let outcome = everySplit(bytes) { requestOutcome($0) }
        #expect(try #require(outcome.head).fields["A"] == "caféÿ")
    }

    @Test func incompleteHeadsAreIncomplete() {
        let request = Array("\r\nGET / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n".utf8)
        for count in 0..<request.count {
            #expect(everySplit(Array(request[..<count])) { requestOutcome($0) } == .incomplete)
        }
    }
}

@Suite("RFC 9112 §3.2 Host")
struct HostTests {
    static let hosts: [Row<String, RequestError?>] = [
        Row("name", "Host: server.example.com\r\n", nil),
        Row("port", "Host: localhost:9998\r\n", nil),
        Row("port left empty", "Host: localhost:\r\n", nil),
        Row("IPv6", "Host: [::1]:80\r\n", nil),
        Row("empty", "Host:\r\n", nil),
        Row("none", "", nil),
        Row("two", "Host: a\r\nhOST: b\r\n", .duplicateHost(count: 2)),
        Row("two alike", "Host: a\r\nHost: a\r\n", .duplicateHost(count: 2)),
        Row("list", "Host: a, b\r\n", .invalidHost("a, b")),
        Row("path", "Host: a/b\r\n", .invalidHost("a/b")),
        Row("user", "Host: u@a\r\n", .invalidHost("u@a")),
        Row("port is no number", "Host: a:b\r\n", .invalidHost("a:b")),
        Row("port too large", "Host: a:65536\r\n", .invalidHost("a:65536")),
        Row("open bracket", "Host: [::1\r\n", .invalidHost("[::1")),
        Row("non-ASCII", "Host: é\r\n", .invalidHost("é")),
    ]

    @Test(arguments: hosts)
    func isChecked(_ row: Row<String, RequestError?>) {
        let outcome = everySplit(request: "GET / HTTP/1.1\r\n\(row.input)\r\n")
        #expect(outcome.failure == row.expected)
        #expect((outcome.head != nil) == (row.expected == nil))
    }

    @Test(arguments: [
        Row("HTTP/1.1 without", "GET / HTTP/1.1\r\n\r\n", true),
        Row("HTTP/1.1 with", "GET / HTTP/1.1\r\nHost: a\r\n\r\n", false),
        Row("HTTP/1.1 with an empty one", "GET / HTTP/1.1\r\nHost:\r\n\r\n", false),
        Row("HTTP/1.0 without", "GET / HTTP/1.0\r\n\r\n", false),
    ])
    func missingHostIsReported(_ row: Row<String, Bool>) throws {
        #expect(try #require(everySplit(request: row.input).head).lacksHost == row.expected)
    }
}

@Suite("RFC 9112 §6 Body framing")
struct BodyFramingTests {
    static let framings: [Row<String, BodyFraming>] = [
        Row("nothing", "", .none),
        Row("zero", "Content-Length: 0\r\n", .length(0)),
        Row("length", "content-length: 0042\r\n", .length(42)),
        Row("chunked", "Transfer-Encoding: Chunked\r\n", .chunked),
    ]

    @Test(arguments: framings)
    func isTold(_ row: Row<String, BodyFraming>) throws {
        let outcome = everySplit(request: "POST / HTTP/1.1\r\n\(row.input)\r\n")
        #expect(try #require(outcome.head).bodyFraming == row.expected)
    }

    private static let tooLarge = "9223372036854775808"

    static let refused: [Row<String, RequestError>] = [
        Row(
            "both", "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n",
            .contentLengthWithTransferEncoding),
        Row(
            "two lengths", "Content-Length: 1\r\nContent-Length: 2\r\n",
            .duplicateContentLength(count: 2)),
        Row(
            "one length twice", "Content-Length: 1\r\nContent-Length: 1\r\n",
            .duplicateContentLength(count: 2)),
        Row("list of lengths", "Content-Length: 1, 1\r\n", .invalidContentLength("1, 1")),
        Row("plus", "Content-Length: +1\r\n", .invalidContentLength("+1")),
        Row("minus", "Content-Length: -1\r\n", .invalidContentLength("-1")),
        Row("hexadecimal", "Content-Length: 0x1\r\n", .invalidContentLength("0x1")),
        Row("empty length", "Content-Length:\r\n", .invalidContentLength("")),
        Row("overflow", "Content-Length: \(tooLarge)\r\n", .invalidContentLength(tooLarge)),
        Row("gzip", "Transfer-Encoding: gzip\r\n", .invalidTransferEncoding("gzip")),
        Row("empty coding", "Transfer-Encoding:\r\n", .invalidTransferEncoding("")),
        Row(
            "chunked before gzip", "Transfer-Encoding: chunked, gzip\r\n",
            .invalidTransferEncoding("chunked, gzip")),
        Row(
            "chunked twice", "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
            .invalidTransferEncoding("chunked, chunked")),
        Row(
            "vertical tab", "Transfer-Encoding: \u{0B}chunked\r\n",
            .head(.invalidValueByte(0x0B))),
        Row(
            "gzip and chunked", "Transfer-Encoding: gzip, chunked\r\n",
            .unsupportedTransferEncoding("gzip, chunked")),
    ]

    @Test(arguments: refused)
    func refuses(_ row: Row<String, RequestError>) {
        let outcome = everySplit(request: "POST / HTTP/1.1\r\nHost: a\r\n\(row.input)\r\n")
        #expect(outcome == .failed(row.expected))
    }

    @Test func chunkedNeedsHTTP11() {
        let request = "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n"
        #expect(everySplit(request: request) == .failed(.transferEncodingInOldVersion(.http10)))
    }
}

@Suite("RFC 9112 §9.3 Persistence")
struct PersistenceTests {
    @Test(arguments: [
        Row("1.1", "GET / HTTP/1.1\r\n\r\n", true),
        Row("1.1 close", "GET / HTTP/1.1\r\nConnection: Close\r\n\r\n", false),
        Row("1.1 close in a list", "GET / HTTP/1.1\r\nConnection: te, close\r\n\r\n", false),
        Row("1.0", "GET / HTTP/1.0\r\n\r\n", false),
        Row("1.0 keep-alive", "GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n", true),
        Row(
            "1.0 both", "GET / HTTP/1.0\r\nConnection: keep-alive\r\nConnection: close\r\n\r\n",
            false),
    ])
    func isAskedFor(_ row: Row<String, Bool>) throws {
        #expect(try #require(everySplit(request: row.input).head).wantsKeepAlive == row.expected)
    }

    @Test func theParserGoesOnToTheNextRequest() throws {
        let requests = Array("GET /1 HTTP/1.1\r\nA: b\r\n\r\n\r\nGET /2 HTTP/1.1\r\n\r\n".utf8)
        for cut in 0...requests.count {
            var parser = RequestHeadParser(limits: RequestHeadLimits())
            var targets: [String] = []
            for piece in [requests[..<cut], requests[cut...]] {
                var rest = piece
                while !rest.isEmpty {
                    let progress = try rest.withUnsafeBytes { try parser.parse($0) }
                    guard case .complete(let head, let count) = progress else { break }
                    targets.append(head.target)
                    #expect(!parser.hasPartialHead)
                    rest = rest.dropFirst(count)
                }
            }
            #expect(targets == ["/1", "/2"])
        }
    }
}

@Suite("Limits of a head")
struct HeadLimitTests {
    private let limits = RequestHeadLimits(headByteLimit: 64, fieldCountLimit: 3)

    private func outcome(_ request: String) -> RequestOutcome {
        everySplit(Array(request.utf8)) { requestOutcome($0, limits: limits) }
    }

    /// A head of exactly so many bytes.
    private func request(byteCount: Int) -> String {
        let start = "GET / HTTP/1.1\r\nA: "
        let padding = String(repeating: "a", count: byteCount - start.utf8.count - 4)
        return start + padding + "\r\n\r\n"
    }

    @Test func defaults() {
        #expect(RequestHeadLimits().headByteLimit == 16_384)
        #expect(RequestHeadLimits().fieldCountLimit == 128)
    }

    @Test func bytes() {
        #expect(outcome(request(byteCount: 63)).head != nil)
        #expect(outcome(request(byteCount: 64)).head != nil)
        #expect(outcome(request(byteCount: 65)) == .failed(.head(.headTooLong(byteLimit: 64))))
    }

    @Test func bytesWhileIncomplete() {
        let start = String(decoding: request(byteCount: 100).utf8.prefix(64), as: UTF8.self)
        #expect(outcome(start) == .incomplete)
        #expect(outcome(start + "a") == .failed(.head(.headTooLong(byteLimit: 64))))
    }

    @Test func bytesOfTheRequestLine() {
        let start = "GET /" + String(repeating: "a", count: 59)
        #expect(outcome(start) == .incomplete)
        #expect(outcome(start + "a") == .failed(.requestLineTooLong(byteLimit: 64)))
        let line = start + " HTTP/1.1\r\n\r\n"
        #expect(outcome(line) == .failed(.requestLineTooLong(byteLimit: 64)))
    }

    @Test func bytesOfLeadingEmptyLineCount() {
        let request = "\r\n" + request(byteCount: 63)
        #expect(outcome(request) == .failed(.head(.headTooLong(byteLimit: 64))))
    }

    @Test func fields() {
        let line = "GET / HTTP/1.1\r\n"
        #expect(outcome(line + "A:\r\nA:\r\nA:\r\n\r\n").head != nil)
        // Refused before the head is complete.
        #expect(
            outcome(line + "A:\r\nA:\r\nA:\r\nA:\r\n")
                == .failed(.head(.tooManyFields(countLimit: 3))))
    }

    /// 256 KiB one byte at a time: if each call looked through what came before, this would take
    /// minutes.
    @Test(.timeLimit(.minutes(10)))
    func eachByteIsLookedAtOnce() {
        let limits = RequestHeadLimits(headByteLimit: 262_144)
        let bytes = Array("GET / HTTP/1.1\r\nA: ".utf8) + [UInt8](repeating: 0x61, count: 262_144)
        let outcome = requestOutcome(bytes.indices.map { bytes[$0...$0] }, limits: limits)
        #expect(outcome == .failed(.head(.headTooLong(byteLimit: 262_144))))
    }

    @Test func theParserBeginsAnewAfterARefusal() throws {
        var parser = RequestHeadParser(limits: limits)
        let bad = Array("GET / HTTP/1.1\r\nA: b\r\n c".utf8)
        #expect(throws: RequestError.self) {
            try (bad + Array("\r\n".utf8)).withUnsafeBytes { _ = try parser.parse($0) }
        }
        #expect(!parser.hasPartialHead)
    }
}
