import Synchronization
import Testing
import WebSocketHostTesting

@Suite("The test kit: requests that are no handshakes")
struct HTTPTests {
    /// Answers what it is asked for, and echoes over WebSocket.
    private static func handler(
        maxBodySize: Int? = nil, allowedOrigins: AllowedOrigins? = nil,
        _ http: @escaping WebSocketHandler.HTTP
    ) -> WebSocketHandler {
        WebSocketHandler(maxBodySize: maxBodySize, allowedOrigins: allowedOrigins, http: http) {
            socket in
            for try await message in socket { try await socket.send(message) }
        }
    }

    @Test("the hook sees all of the request")
    func facts() async throws {
        let host = try TestHost([
            "/a b": Self.handler { request in
                let facts = [
                    request.method, request.path, request.target, request.rawQuery,
                    request.query["room"], request.fields["X-Number"], request.cookies["session"],
                    request.bearerToken, request.origin, request.remoteAddress.host,
                    request.user, request.tls?.peerSubject, "\(request.isSecure)", request.text,
                    "\(request.body.count)", "\(request.topics.subscriberCount(of: "none"))",
                ]
                return .text(facts.map { $0 ?? "-" }.joined(separator: "|"))
            }
        ])
        let answer = try await host.request(
            "PUT", "/a%20b?room=7",
            fields: [
                "X-Number": "1", "Cookie": "session=s3cret", "Authorization": "Bearer t0ken",
                "Origin": "https://example.com",
            ], body: Array("häuser".utf8), from: "2001:db8::7", user: "ada",
            tls: .testing(peerSubject: "CN=ada"))
        #expect(answer.status == .ok)
        #expect(answer.fields["Content-Type"] == "text/plain; charset=utf-8")
        #expect(
            answer.text
                == "PUT|/a b|/a%20b?room=7|room=7|7|1|s3cret|t0ken|https://example.com|"
                + "2001:db8::7|ada|CN=ada|true|häuser|7|0")
    }

    @Test("a body that is no text; one that is missing")
    func bytes() async throws {
        let host = try TestHost(
            Self.handler { request in .bytes(request.body + [request.text == nil ? 1 : 0]) })
        #expect(try await host.request("POST", body: [0xFF]).body == [0xFF, 1])
        #expect(try await host.request("POST").body == [0])
    }

    @Test("what is published from a request goes to the clients")
    func publishes() async throws {
        let handler = WebSocketHandler(
            http: { request in
                request.topics.publish(request.text ?? "", to: "builds")
                return HTTPResponse(.accepted)
            },
            transferData: { socket in
                try await socket.subscribe(to: "builds")
                while try await socket.receive() != nil {}
            })
        let host = try TestHost(handler)
        let client = try await host.connect()
        let answer = try await host.request("POST", body: Array("green".utf8))
        #expect(answer.status == .accepted)
        #expect(answer.body.isEmpty && answer.fields["Content-Type"] == nil)
        #expect(answer.fields["Content-Length"] == "0")
        #expect(try await client.receive() == .text("green"))
    }

    struct Row: Sendable, CustomTestStringConvertible {
        var method = "GET"
        let response: HTTPResponse
        let status: Int
        let fields: [String: String?]
        let body: String
        var testDescription: String { "\(method) \(status) \(body)" }
    }

    static let rows: [Row] = [
        Row(
            response: HTTPResponse(.ok, body: Array("x".utf8)), status: 200,
            fields: ["Content-Type": "application/octet-stream", "Content-Length": "1"], body: "x"),
        Row(
            response: .html("<p>ö"), status: 200,
            fields: ["Content-Type": "text/html; charset=utf-8", "Content-Length": "5"],
            body: "<p>ö"),
        Row(
            response: .json("{}", .created), status: 201,
            fields: ["Content-Type": "application/json"], body: "{}"),
        Row(
            method: "HEAD", response: .text("length kept"), status: 200,
            fields: ["Content-Length": "11"], body: ""),
        Row(
            response: .methodNotAllowed("GET", "POST"), status: 405,
            fields: ["Allow": "GET, POST"], body: "Only GET, POST.\n"),
        Row(
            response: HTTPResponse(.noContent, body: [1]), status: 204,
            fields: ["Content-Length": nil, "Content-Type": "application/octet-stream"], body: ""),
        Row(
            response: HTTPResponse(.notModified, fields: ["ETag": "\"1\""]), status: 304,
            fields: ["Content-Length": nil, "ETag": "\"1\""], body: ""),
        Row(
            response: HTTPResponse(
                .ok,
                fields: [
                    "Content-Length": "99", "Transfer-Encoding": "chunked", "Date": "now",
                    "Connection": "keep-alive", "Content-Type": "text/css",
                ],
                body: Array("a{}".utf8)), status: 200,
            fields: [
                "Content-Length": "3", "Transfer-Encoding": nil, "Connection": "close",
                "Content-Type": "text/css",
            ], body: "a{}"),
        Row(
            response: HTTPResponse(.continue), status: 500, fields: [:],
            body: "The handler failed.\n"),
    ]

    @Test("what goes over the wire", arguments: rows)
    func responses(_ row: Row) async throws {
        let host = try TestHost(Self.handler { _ in row.response })
        let answer = try await host.request(row.method)
        #expect(answer.status.code == row.status)
        #expect(answer.text == row.body)
        for (name, value) in row.fields { #expect(answer.fields[name] == value, "\(name)") }
    }

    private struct Failure: Error {}

    @Test("a hook that throws: 500, and the log says why; a rejection: what it says")
    func throwing() async throws {
        let host = try TestHost(
            Self.handler { request in
                switch request.query["as"] {
                case "teapot":
                    throw HandshakeRejection(
                        .forbidden, fields: ["X-Why": "tea", "Content-Length": "77"], body: "no")
                case "gone": throw HandshakeRejection.abort
                default: throw Failure()
                }
            })
        let failed = try await host.request()
        #expect(failed.status == .internalServerError && failed.text == "The handler failed.\n")
        let line = try #require(host.logLines.last)
        #expect(line.contains("/ 192.0.2.1") && line.contains("the hook http threw Failure()"))
        let refused = try await host.request("GET", "?as=teapot")
        #expect(refused.status == .forbidden && refused.text == "no\n")
        #expect(refused.fields["X-Why"] == "tea" && refused.fields["Content-Length"] == "3")
        await #expect(throws: TestRejection.aborted) { try await host.request("GET", "?as=gone") }
        // The handler goes on.
        let client = try await host.connect()
        try await client.send("still here")
        #expect(try await client.receive() == .text("still here"))
    }

    @Test("one that hangs: 503 after its time, and the task is cancelled")
    func hanging() async throws {
        let cancelled = Mutex(false)
        let begun = AsyncStream<Void>.makeStream()
        let host = try TestHost(
            Self.handler { _ in
                begun.continuation.yield()
                await withTaskCancellationHandler {
                    await withCheckedContinuation { (never: CheckedContinuation<Void, Never>) in
                        kept.withLock { $0.append(never) }
                    }
                } onCancel: {
                    cancelled.withLock { $0 = true }
                    for waiter in kept.withLock({ $0 }) { waiter.resume() }
                    kept.withLock { $0 = [] }
                }
                return .text("too late")
            })
        async let answer = host.request()
        for await _ in begun.stream { break }
        try await host.advance(by: .seconds(60))
        #expect(try await answer.status == .serviceUnavailable)
        #expect(cancelled.withLock { $0 })
        #expect(host.logLines.contains { $0.contains("--http-timeout") })
    }

    @Test("a longer body than the route takes")
    func tooLong() async throws {
        let host = try TestHost(Self.handler(maxBodySize: 3) { request in .bytes(request.body) })
        #expect(try await host.request("POST", body: [1, 2, 3]).body == [1, 2, 3])
        #expect(try await host.request("POST", body: [1, 2, 3, 4]).status == .contentTooLarge)
    }

    @Test("an origin that may not connect may read, and do nothing else")
    func origins() async throws {
        let host = try TestHost(
            Self.handler(allowedOrigins: .list(["https://good.example"])) { _ in .text("done") })
        for (method, origin, status) in [
            ("GET", "https://evil.example", 200), ("HEAD", "https://evil.example", 200),
            ("POST", "https://evil.example", 403), ("DELETE", "null", 403),
            ("OPTIONS", "https://evil.example", 403), ("POST", "https://good.example", 200),
        ] {
            var fields = Fields()
            try fields.append("Origin", origin)
            let answer = try await host.request(method, fields: fields)
            #expect(answer.status.code == status, "\(method) \(origin)")
        }
        #expect(try await host.request("POST").status == .ok)
    }

    @Test("without the hook all is as ever; with it a handshake is one")
    func without() async throws {
        let host = try TestHost([
            "/without": WebSocketHandler { _ in }, "/with": Self.handler { _ in .text("here") },
        ])
        #expect(try await host.request("GET", "/without").status.code == 426)
        #expect(try await host.request("POST", "/without").status == .upgradeRequired)
        #expect(try await host.request("GET", "/with").text == "here")
        let client = try await host.connect("/with")
        try await client.send("and here")
        #expect(try await client.receive() == .text("and here"))
    }

    @Test("the handler's own answer at / goes before the page of all routes")
    func root() async throws {
        var configuration = Configuration()
        configuration.showsIndexPage = true
        let with = try TestHost(Self.handler { _ in .html("mine") }, configuration: configuration)
        #expect(try await with.request().text == "mine")
        let without = try TestHost(WebSocketHandler { _ in }, configuration: configuration)
        #expect(try await without.request().text?.contains("<title>WebSocketHost</title>") == true)
    }
}

/// Tasks that wait until they are cancelled.
private let kept = Mutex<[CheckedContinuation<Void, Never>]>([])
