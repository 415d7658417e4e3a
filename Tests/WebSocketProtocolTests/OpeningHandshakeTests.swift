import HTTPProtocol
import TestSupport
import Testing
import WebSocketProtocol

/// The fields of a request that passes, to be changed by one fault at a time.
private let goodFields: [(String, String)] = [
    ("Host", "server.example.com"),
    ("Upgrade", "websocket"),
    ("Connection", "Upgrade"),
    ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="),
    ("Sec-WebSocket-Version", "13"),
]

private func fields(_ lines: [(String, String)]) throws -> Fields {
    var fields = Fields()
    for (name, value) in lines { try fields.append(name, value) }
    return fields
}

/// A good head with one thing changed.
struct Change: Sendable, CustomTestStringConvertible {
    let testDescription: String
    var method = "GET"
    var version = HTTPVersion.http11
    var removed: String?
    var added: [(String, String)] = []
    let error: HandshakeError
    var status = Status.badRequest
    var answer: Fields = [:]

    func head() throws -> RequestHead {
        let kept = goodFields.filter { $0.0 != removed }
        return try RequestHead(
            method: method, target: "/chat", version: version, fields: fields(kept + added))
    }
}

extension Change {
    init(
        _ name: String, remove removed: String? = nil, add added: [(String, String)] = [],
        _ error: HandshakeError
    ) {
        self.init(testDescription: name, removed: removed, added: added, error: error)
    }

    /// One field with another value.
    init(_ name: String, _ field: String, _ value: String, _ error: HandshakeError) {
        self.init(name, remove: field, add: [(field, value)], error)
    }

    func answered(_ status: Status, _ answer: Fields) -> Change {
        var change = self
        change.status = status
        change.answer = answer
        return change
    }
}

@Suite("RFC 6455 §4.2.1 Reading the client's opening handshake")
struct ClientHandshakeTests {
    private static let upgradeAnswer: Fields = [
        "Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Version": "13",
    ]
    private static let versionAnswer: Fields = ["Sec-WebSocket-Version": "13"]
    private static let key = "Sec-WebSocket-Key"
    private static let version = "Sec-WebSocket-Version"
    private static let subprotocol = "Sec-WebSocket-Protocol"
    private static let extensions = "Sec-WebSocket-Extensions"

    private static let generalFaults: [Change] = [
        Change("no Upgrade", remove: "Upgrade", .notAnUpgrade)
            .answered(.upgradeRequired, upgradeAnswer),
        Change("another Upgrade", "Upgrade", "h2c", .notAnUpgrade)
            .answered(.upgradeRequired, upgradeAnswer),
        Change("Upgrade nearly", "Upgrade", "websockets", .notAnUpgrade)
            .answered(.upgradeRequired, upgradeAnswer),
        Change(testDescription: "POST", method: "POST", error: .wrongMethod("POST")),
        Change(testDescription: "small get", method: "get", error: .wrongMethod("get")),
        Change(testDescription: "HTTP/1.0", version: .http10, error: .wrongHTTPVersion(.http10)),
        Change(
            testDescription: "HTTP/1.2", version: HTTPVersion(major: 1, minor: 2),
            error: .wrongHTTPVersion(HTTPVersion(major: 1, minor: 2))),
        Change("no Host", remove: "Host", .missingHost),
        Change("no Connection", remove: "Connection", .connectionWithoutUpgrade),
        Change("another Connection", "Connection", "keep-alive", .connectionWithoutUpgrade),
        Change("length", add: [("Content-Length", "1")], .hasBody),
        Change("chunked", add: [("Transfer-Encoding", "chunked")], .hasBody),
    ]

    private static let fieldFaults: [Change] = [
        Change("no version", remove: version, .missingVersion),
        Change("version 8", version, "8", .unsupportedVersion("8"))
            .answered(.badRequest, versionAnswer),
        Change("version 013", version, "013", .unsupportedVersion("013"))
            .answered(.badRequest, versionAnswer),
        Change("empty version", version, "", .unsupportedVersion(""))
            .answered(.badRequest, versionAnswer),
        Change("versions", version, "13, 8", .unsupportedVersion("13, 8"))
            .answered(.badRequest, versionAnswer),
        Change("version twice", add: [(version, "13")], .unsupportedVersion("13, 13"))
            .answered(.badRequest, versionAnswer),
        Change("no key", remove: key, .missingKey),
        Change("key twice", add: [(key, "dGhlIHNhbXBsZSBub25jZQ==")], .duplicateKey(count: 2)),
        Change("empty key", key, "", .malformedKey("")),
        Change("comma in the key", key, "a,b", .malformedKey("a,b")),
        Change(
            "key of 15 bytes", key, "dGhlIHNhbXBsZSBub25j", .malformedKey("dGhlIHNhbXBsZSBub25j")),
        Change("empty subprotocols", add: [(subprotocol, "")], .malformedSubprotocols("")),
        Change("commas", add: [(subprotocol, ",")], .malformedSubprotocols(",")),
        Change("no token", add: [(subprotocol, "a b")], .malformedSubprotocols("a b")),
        Change("quotes", add: [(subprotocol, "\"a\"")], .malformedSubprotocols("\"a\"")),
        Change("subprotocol twice", add: [(subprotocol, "a, a")], .duplicateSubprotocol("a")),
        Change(
            "subprotocol on two lines", add: [(subprotocol, "a"), (subprotocol, "b, a")],
            .duplicateSubprotocol("a")),
        Change("extension", add: [(extensions, "a;")], .malformedExtensions("a;")),
        Change(
            "second line", add: [(extensions, "a"), (extensions, "b=")],
            .malformedExtensions("b=")),
    ]

    @Test(arguments: generalFaults + fieldFaults)
    func refuses(_ change: Change) throws {
        let head = try change.head()
        let error = #expect(throws: HandshakeError.self) { try OpeningHandshake.check(head) }
        #expect(error == change.error)
        #expect(error?.status == change.status)
        #expect(error?.fields == change.answer)
        #expect(error?.description.hasSuffix(".") == true)
    }

    /// The request of RFC 6455 §1.2, with the key of §1.3.
    @Test func theExampleOfTheRFC() throws {
        let head = try RequestHead(
            method: "GET", target: "/chat",
            fields: fields(
                goodFields + [
                    ("Origin", "http://example.com"), ("Sec-WebSocket-Protocol", "chat, superchat"),
                ]))
        let client = try OpeningHandshake.check(head)
        #expect(client.key == "dGhlIHNhbXBsZSBub25jZQ==")
        #expect(client.offeredSubprotocols == ["chat", "superchat"])
        #expect(client.offeredExtensions.isEmpty)
        #expect(client.origin == "http://example.com")
        #expect(client.version == 13)
        let answer = try OpeningHandshake.answer(to: client, subprotocol: "chat")
        #expect(
            String(decoding: answer, as: UTF8.self) == """
                HTTP/1.1 101 Switching Protocols\r
                Upgrade: websocket\r
                Connection: Upgrade\r
                Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r
                Sec-WebSocket-Protocol: chat\r
                \r\n
                """)
    }

    @Test func whatOtherClientsSend() throws {
        let head = try RequestHead(
            method: "GET", target: "/",
            fields: fields([
                ("HOST", "localhost:9998"), ("upgrade", "WebSocket"),
                ("connection", "keep-alive, UPGRADE"), ("content-length", "0"),
                ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="), ("sec-websocket-version", "13"),
                ("sec-websocket-protocol", "a"), ("sec-websocket-protocol", "b"),
                ("sec-websocket-extensions", "x; y=\"1\""), ("sec-websocket-extensions", "z"),
            ]))
        let client = try OpeningHandshake.check(head)
        #expect(client.offeredSubprotocols == ["a", "b"])
        #expect(
            client.offeredExtensions
                == [ExtensionOffer("x", parameters: [.init("y", "1")]), ExtensionOffer("z")])
        #expect(client.origin == nil)
    }
}

@Suite("RFC 6455 §4.2.2 and §4.1 The server's opening handshake")
struct ServerHandshakeTests {
    private static let offer = ExtensionOffer("permessage-deflate", parameters: [.init("a")])

    private static func request() -> ClientRequest {
        var generator = SystemRandomNumberGenerator()
        var request = ClientRequest(host: "localhost:9998", target: "/echo?a", using: &generator)
        request.origin = "http://localhost"
        request.subprotocols = ["chat", "superchat"]
        request.extensions = [offer]
        return request
    }

    /// The example key's answer (RFC 6455 §1.3), byte for byte.
    static let answered: [Row<(String?, [ExtensionOffer], Fields), String>] = [
        Row("nothing else", (nil, [], [:]), ""),
        Row("a subprotocol", ("chat", [], [:]), "Sec-WebSocket-Protocol: chat\r\n"),
        Row("an extension", (nil, [offer], [:]), "Sec-WebSocket-Extensions: \(offer)\r\n"),
        Row("fields", (nil, [], ["X": "y", "Empty": ""]), "X: y\r\nEmpty: \r\n"),
        Row(
            "all, in their order",
            ("superchat", [offer, ExtensionOffer("x")], ["Set-Cookie": "a=b"]),
            "Sec-WebSocket-Protocol: superchat\r\n"
                + "Sec-WebSocket-Extensions: \(offer), x\r\nSet-Cookie: a=b\r\n"
        ),
    ]

    @Test(arguments: answered)
    func answer(_ row: Row<(String?, [ExtensionOffer], Fields), String>) throws {
        var request = try Self.request().head()
        var fields = request.fields
        try fields.set("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==")
        request = try RequestHead(method: "GET", target: "/echo", fields: fields)
        let (subprotocol, extensions, extraFields) = row.input
        let answer = try OpeningHandshake.answer(
            to: OpeningHandshake.check(request), subprotocol: subprotocol, extensions: extensions,
            extraFields: extraFields)
        let expected =
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            + "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n" + row.expected + "\r\n"
        #expect(String(decoding: answer, as: UTF8.self) == expected)
    }

    private static func parsed(_ answer: [UInt8]) throws -> ResponseHead {
        var parser = ResponseHeadParser()
        guard
            case .complete(let head, answer.count) = try answer.withUnsafeBytes({
                try parser.parse($0)
            })
        else { throw ResponseError.malformedStatusLine }
        return head
    }

    @Test func clientAndServerUnderstandEachOther() throws {
        var request = Self.request()
        request.extraFields = ["Cookie": "a=b"]
        var requestParser = RequestHeadParser(limits: RequestHeadLimits())
        let requestBytes = try request.head().serialized()
        let progress = try requestBytes.withUnsafeBytes { try requestParser.parse($0) }
        guard case .complete(let head, _) = progress else {
            Issue.record("The request is not complete.")
            return
        }
        #expect(head.target == "/echo?a" && head.host == "localhost:9998")
        let client = try OpeningHandshake.check(head)
        #expect(client.key == request.key)
        #expect(client.offeredSubprotocols == request.subprotocols)
        #expect(client.offeredExtensions == request.extensions)
        #expect(client.origin == request.origin)

        let answerBytes = try OpeningHandshake.answer(
            to: client, subprotocol: "superchat", extensions: [Self.offer])
        let server = try request.check(Self.parsed(answerBytes))
        #expect(server.subprotocol == "superchat")
        #expect(server.extensions == [Self.offer])
    }

    @Test(arguments: ["", "a b", "a,b", "a\r\nX: y", "é"])
    func refusesASubprotocolThatIsNoToken(_ subprotocol: String) throws {
        let client = try OpeningHandshake.check(Self.request().head())
        #expect(throws: FieldError.self) {
            try OpeningHandshake.answer(to: client, subprotocol: subprotocol)
        }
    }

    /// The answer's change, and what the client says of it.
    static let answers: [(String, Int, String?, String?, HandshakeError)] = [
        ("status", 200, nil, nil, .refused(.ok)),
        ("no Upgrade", 101, "Upgrade", nil, .notAnUpgrade),
        ("another Upgrade", 101, "Upgrade", "h2c", .notAnUpgrade),
        ("websocket among others", 101, "Upgrade", "websocket, h2c", .notAnUpgrade),
        ("no Connection", 101, "Connection", nil, .connectionWithoutUpgrade),
        ("no accept key", 101, "Sec-WebSocket-Accept", nil, .missingAcceptKey),
        ("another accept key", 101, "Sec-WebSocket-Accept", "a", .wrongAcceptKey("a")),
        ("subprotocol", 101, "Sec-WebSocket-Protocol", "other", .unofferedSubprotocol("other")),
        (
            "subprotocol in capitals", 101, "Sec-WebSocket-Protocol", "CHAT",
            .unofferedSubprotocol("CHAT")
        ),
        (
            "two subprotocols", 101, "Sec-WebSocket-Protocol", "chat, superchat",
            .unofferedSubprotocol("chat, superchat")
        ),
        ("extension", 101, "Sec-WebSocket-Extensions", "x", .unofferedExtension("x")),
        ("malformed extension", 101, "Sec-WebSocket-Extensions", "x;", .malformedExtensions("x;")),
    ]

    @Test(arguments: answers)
    func clientRefuses(
        _ name: String, _ code: Int, _ field: String?, _ value: String?, _ error: HandshakeError
    ) throws {
        let request = Self.request()
        var answer = try Self.parsed(
            OpeningHandshake.answer(to: OpeningHandshake.check(request.head())))
        answer.status = try #require(Status(code))
        if let field {
            answer.fields.remove(field)
            if let value { try answer.fields.append(field, value) }
        }
        #expect(throws: error, "\(name)") { try request.check(answer) }
    }

    @Test func clientRefusesHTTP10() throws {
        let request = Self.request()
        var answer = try Self.parsed(
            OpeningHandshake.answer(to: OpeningHandshake.check(request.head())))
        answer.version = .http10
        #expect(throws: HandshakeError.wrongHTTPVersion(.http10)) { try request.check(answer) }
    }

    @Test func clientSendsNoLineEnds() throws {
        var request = Self.request()
        request.origin = "a\r\nX: y"
        #expect(
            throws: HandshakeError.unsendableField(
                .invalidValue(name: "Origin", value: "a\r\nX: y"))
        ) { try request.head() }
        request = Self.request()
        request.target = "/ HTTP/1.1\r\nX: y"
        #expect(throws: HandshakeError.unsendableRequest(.invalidTargetByte(0x20))) {
            try request.head()
        }
    }
}
