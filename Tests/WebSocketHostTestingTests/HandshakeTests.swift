import Testing
import WebSocketHostTesting

/// Sends every message back.
let echo = WebSocketHandler { socket in
    for try await message in socket { try await socket.send(message) }
}

@Suite("The test kit: handshakes")
struct HandshakeTests {
    @Test("a handler sees all that was offered")
    func offered() async throws {
        let handler = WebSocketHandler(
            doExtraHandshake: { request in
                request.subprotocol = request.offeredSubprotocols.last
                try request.responseFields.append("X-Seen", "yes")
            },
            transferData: { socket in
                let request = socket.request
                let facts = [
                    request.path, request.target, request.query["room"], request.origin,
                    request.cookies["session"], request.cookies["theme"],
                    request.fields["X-Number"],
                    request.fields["Host"], request.remoteAddress.host, request.user,
                    request.tls?.version, request.tls?.serverName, request.tls?.peerSubject,
                    request.tls?.peerSubjectAlternativeNames.first, "\(request.isSecure)",
                ]
                for fact in facts { try await socket.send(fact ?? "-") }
            })
        let host = try TestHost(["/a b": handler])
        let client = try await host.connect(
            "/a%20b?room=7", origin: "https://example.com", subprotocols: ["chat.v1", "chat.v2"],
            cookies: ["session": "s3cret", "theme": "dark"], fields: ["X-Number": "1"],
            from: "2001:db8::7", user: "ada",
            tls: .testing(
                serverName: "example.com", peerSubject: "CN=ada",
                peerSubjectAlternativeNames: ["email:ada@example.com"]))
        #expect(client.subprotocol == "chat.v2")
        #expect(client.responseFields["X-Seen"] == "yes")
        let facts = [
            "/a b", "/a%20b?room=7", "7", "https://example.com", "s3cret", "dark", "1",
            "localhost:9998",
            "2001:db8::7", "ada", "TLSv1.3", "example.com", "CN=ada", "email:ada@example.com",
            "true",
        ]
        for fact in facts { #expect(try await client.receive() == .text(fact)) }
    }

    @Test("nothing is there that was not given")
    func bare() async throws {
        let handler = WebSocketHandler { socket in
            let request = socket.request
            #expect(request.origin == nil && request.user == nil && request.tls == nil)
            #expect(request.cookies.isEmpty && request.offeredSubprotocols.isEmpty)
            #expect(request.offeredExtensions.isEmpty && socket.compression == nil)
        }
        let client = try await TestHost(handler).connect()
        #expect(client.subprotocol == nil && client.compression == nil)
        #expect(try await client.receiveClose() == Close(.normalClosure))
    }

    @Test(
        "a target without a path means the first route",
        arguments: [("", "/chat"), ("?a=b", "/chat?a=b")])
    func defaultTarget(_ given: String, _ target: String) async throws {
        let handler = WebSocketHandler { socket in try await socket.send(socket.request.target) }
        let client = try await TestHost(["/chat": handler]).connect(given)
        #expect(try await client.receive() == .text(target))
    }

    @Test("each rejection is reported with all its parts")
    func rejections() async throws {
        let handler = WebSocketHandler(
            doExtraHandshake: { request in
                switch request.query["as"] {
                case "busy":
                    throw HandshakeRejection(
                        .serviceUnavailable, fields: ["Retry-After": "5"], body: "Come back later.")
                case "moved": throw try HandshakeRejection.redirect(to: "/elsewhere")
                case "gone": throw HandshakeRejection.abort
                default: throw CancellationError()
                }
            },
            transferData: { _ in })
        let host = try TestHost(handler)
        let busy = await #expect(throws: TestRejection.self) { try await host.connect("?as=busy") }
        #expect(busy?.status == .serviceUnavailable && busy?.body == "Come back later.\n")
        #expect(busy?.fields["Retry-After"] == "5")
        let moved = await #expect(throws: TestRejection.self) {
            try await host.connect("?as=moved")
        }
        #expect(moved?.status == .found && moved?.fields["Location"] == "/elsewhere")
        await #expect(throws: TestRejection.aborted) { try await host.connect("?as=gone") }
        let failed = await #expect(throws: TestRejection.self) { try await host.connect() }
        #expect(failed?.status == .forbidden)
        #expect(host.logLines.count == 1 && host.logLines[0].contains("CancellationError"))
        #expect(host.openConnectionCount == 0)
    }

    @Test("the server's own checks are made")
    func serversChecks() async throws {
        var configuration = Configuration()
        configuration.allowedOrigins = .list(["https://example.com"])
        let host = try TestHost(["/echo": echo], configuration: configuration)
        let refused: [(target: String, origin: String?, status: Status)] = [
            ("/nowhere", nil, .notFound), ("/echo", "https://evil.example", .forbidden),
            ("/" + String(repeating: "x", count: 20_000), nil, .uriTooLong),
        ]
        for (target, origin, status) in refused {
            let rejection = await #expect(throws: TestRejection.self) {
                try await host.connect(target, origin: origin)
            }
            #expect(rejection?.status == status)
        }
        _ = try await host.connect(origin: "https://example.com")
    }

    @Test("the clock moves while a handshake waits")
    func slowHandshake() async throws {
        let hasBegun = AsyncStream.makeStream(of: Void.self)
        let handler = WebSocketHandler(
            doExtraHandshake: { request in
                hasBegun.continuation.yield()
                try? await request.unsafeWrite([])
                _ = try? await request.unsafeReceive(timeout: .seconds(60))
            },
            transferData: { _ in })
        let host = try TestHost(handler)
        async let connecting = host.connect()
        var begun = hasBegun.stream.makeAsyncIterator()
        await begun.next()
        try await host.advance(by: .seconds(60))
        #expect(try await connecting.receiveClose() == Close(.normalClosure))
    }
}
