import Glibc
import HTTPProtocol
import Testing
import WebSocketHost
import WebSocketProtocol

private let silent = WebSocketHandler { _ in }

@Suite("RFC 6455 §4 The opening handshake over a real socket")
struct HandshakeTests {
    private func refusal(
        _ handler: WebSocketHandler, _ configuration: Configuration = Configuration(),
        origin: String? = nil
    ) async throws -> ResponseHead {
        try await TestServer(configuration, handler).run { port in
            do {
                _ = try TestClient(port, origin: origin)
            } catch TestClientError.refused(let head) {
                return head
            }
            throw TestClientError.ended
        }
    }

    @Test("doExtraHandshake reads the request, chooses, adds fields, and passes on what it found")
    func hook() async throws {
        let handler = WebSocketHandler(
            doExtraHandshake: { request in
                request.subprotocol = request.offeredSubprotocols.last
                try request.responseFields.append("X-One", "1")
                try request.responseFields.append("X-One", "2")
                return "\(request.path) \(request.query["a"] ?? "") \(request.cookies["c"] ?? "")"
            },
            transferData: { socket, found in
                try await socket.send("\(found) \(socket.subprotocol ?? "")")
            })
        try await TestServer(handler).run { port in
            let client = try TestClient(
                port, "/test?a=b%20c", subprotocols: ["x", "y"], fields: ["Cookie": "c=d"])
            #expect(client.answer.fields["Sec-WebSocket-Protocol"] == "y")
            #expect(client.answer.fields.values(of: "X-One") == ["1", "2"])
            #expect(try client.text() == "/test b c d y")
        }
    }

    @Test("a handler reads its route's limits, before the answer and after it")
    func limits() async throws {
        var configuration = Configuration()
        configuration.connection.pingInterval = .seconds(77)
        let handler = WebSocketHandler(
            maxMessageSize: 1_234,
            doExtraHandshake: { $0.settings },
            transferData: { socket, settings in
                let isSame = settings == socket.settings
                try await socket.send("\(isSame) \(settings.messageByteLimit)")
                try await socket.send("\(socket.settings.pingInterval.components.seconds)")
            })
        try await TestServer(configuration, handler).run { port in
            let client = try TestClient(port)
            #expect(try client.text() == "true 1234")
            #expect(try client.text() == "77")
        }
    }

    @Test("the head's lines as they came, and both addresses, before the answer and after it")
    func whatIsKnown() async throws {
        let handler = WebSocketHandler(
            doExtraHandshake: { request in
                request.headLines + ["\(request.localAddress, default: "nil")"]
            },
            transferData: { socket, lines in
                try await socket.send(lines.joined(separator: "\n"))
                try await socket.send(socket.request.headLines.joined(separator: "\n"))
                try await socket.send("\(socket.localAddress, default: "nil")")
            })
        try await TestServer(handler).run { port in
            let client = try TestClient(tcp: port)
            let head = [
                "GET /test?a=%20b HTTP/1.1", "host: 127.0.0.1:\(port)", "Upgrade: websocket",
                "CONNECTION: keep-alive, Upgrade", "X-Twice: 1", "Sec-WebSocket-Version: 13",
                "x-twice: two  blanks",
                "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", "X-Empty: ",
            ]
            try client.write(Array((head.joined(separator: "\r\n") + "\r\n\r\n").utf8))
            #expect(try client.readHead().status == .switchingProtocols)
            let lines = head.joined(separator: "\n")
            #expect(try client.text() == lines + "\n127.0.0.1:\(port)")
            #expect(try client.text() == lines)
            #expect(try client.text() == "127.0.0.1:\(port)")
        }
    }

    @Test("a rejection's status, fields and body")
    func rejection() async throws {
        let head = try await refusal(
            WebSocketHandler(
                doExtraHandshake: { _ in
                    throw HandshakeRejection(
                        .unauthorized, fields: ["WWW-Authenticate": "Basic realm=\"x\""])
                }, transferData: { _ in }))
        #expect(head.status == .unauthorized)
        #expect(head.fields["WWW-Authenticate"] == "Basic realm=\"x\"")
    }

    @Test("a redirect")
    func redirect() async throws {
        let head = try await refusal(
            WebSocketHandler(
                doExtraHandshake: { _ in throw try HandshakeRejection.redirect(to: "/v2") },
                transferData: { _ in }))
        #expect(head.status == .found && head.fields["Location"] == "/v2")
    }

    @Test("any other error is 403")
    func otherError() async throws {
        struct Failure: Error {}
        let head = try await refusal(
            WebSocketHandler(doExtraHandshake: { _ in throw Failure() }, transferData: { _ in }))
        #expect(head.status == .forbidden)
    }

    @Test("abort closes TCP and sends nothing")
    func abort() async throws {
        let handler = WebSocketHandler(
            doExtraHandshake: { _ in throw HandshakeRejection.abort }, transferData: { _ in })
        try await TestServer(handler).run { port in
            _ = #expect(throws: TestClientError.self) { _ = try TestClient(port) }
        }
    }

    @Test("a field that would split the answer is an error of the handler's")
    func injection() async throws {
        let head = try await refusal(
            WebSocketHandler(
                doExtraHandshake: { request in
                    try request.responseFields.append("X-A", "1\r\nX-B: 2")
                }, transferData: { _ in }))
        #expect(head.status == .forbidden && head.fields["X-B"] == nil)
    }

    @Test(
        "§4.2.2: a subprotocol that was not offered is not answered with",
        arguments: [[], ["a", "b"]])
    func unofferedSubprotocol(_ offered: [String]) async throws {
        let handler = WebSocketHandler(
            doExtraHandshake: { request in request.subprotocol = "c" }, transferData: { _ in })
        try await TestServer(handler).run { port in
            do {
                let client = try TestClient(port, subprotocols: offered)
                #expect(client.answer.fields["Sec-WebSocket-Protocol"] == nil)
            } catch TestClientError.refused(let head) {
                #expect(head.fields["Sec-WebSocket-Protocol"] == nil)
            }
        }
    }

    @Test("for tests of clients, one that was not offered all the same")
    func unsafeSubprotocol() async throws {
        let handler = WebSocketHandler(
            doExtraHandshake: { request in request.unsafeSubprotocol = "c" }, transferData: { _ in }
        )
        try await TestServer(handler).run { port in
            _ = #expect(throws: HandshakeError.unofferedSubprotocol("c")) {
                try TestClient(port, subprotocols: ["a"])
            }
        }
    }

    static let origins: [(AllowedOrigins, origin: String?, isLetIn: Bool)] = [
        (.any, "http://evil.example", true),
        (.same, "http://evil.example", false),
        (.same, nil, true),
        (.list(["https://a.example"]), "https://a.example", true),
        (.list(["https://a.example"]), "https://A.example", true),
        (.list(["https://a.example"]), "http://a.example", false),
        (.list(["https://a.example"]), nil, true),
    ]

    @Test("RFC 6455 §10.2 Origin", arguments: origins)
    func origin(_ allowed: AllowedOrigins, _ origin: String?, _ isLetIn: Bool) async throws {
        var configuration = Configuration()
        configuration.allowedOrigins = allowed
        try await TestServer(configuration, silent).run { port in
            do {
                _ = try TestClient(port, origin: origin)
                #expect(isLetIn)
            } catch TestClientError.refused(let head) {
                #expect(!isLetIn && head.status == .forbidden)
            }
        }
    }

    @Test("bytes of one's own instead of the 101, and raw frames after it")
    func unsafeAccess() async throws {
        let handler = WebSocketHandler(
            doExtraHandshake: { request in
                request.unsafeResponse = Array("HTTP/1.1 101 Sure\r\nX: y\r\n\r\n".utf8)
            },
            transferData: { socket in
                try await socket.unsafeWrite(UnsafeFrame(opcode: 0x3, payload: [1]).bytes)
                await socket.abort()
            })
        try await TestServer(handler).run { port in
            let client = try TestClient(tcp: port)
            var generator = SystemRandomNumberGenerator()
            let request = ClientRequest(host: "a", target: "/test", using: &generator)
            try client.write(try request.head().serialized())
            let head = try client.readHead()
            #expect(head.status.reasonPhrase == "Sure" && head.fields["X"] == "y")
            #expect(try client.readToEnd() == [0x83, 0x01, 1])
        }
    }

    @Test("a client that floods before the answer is dropped, and the hook is cancelled")
    func earlyFlood() async throws {
        let cancelled = Signal<Void>()
        let handler = WebSocketHandler(
            doExtraHandshake: { _ in
                try? await Task.sleep(for: .seconds(3_600))
                cancelled.send(())
            }, transferData: { _ in })
        try await TestServer(handler).run { port in
            let client = try TestClient(tcp: port)
            var generator = SystemRandomNumberGenerator()
            let request = ClientRequest(host: "a", target: "/test", using: &generator)
            try client.write(try request.head().serialized())
            #expect {
                while true { try client.write([UInt8](repeating: 0, count: 65_536)) }
            } throws: { error in
                // Not EAGAIN, which would be our own patience.
                guard case TestClientError.system(_, let code) = error else { return false }
                return [ECONNRESET, EPIPE].contains(code)
            }
        }
        #expect(await cancelled.next() != nil)
    }

    @Test("frames sent right behind the handshake are not lost")
    func earlyFrames() async throws {
        let echo = WebSocketHandler { socket in
            for try await message in socket { try await socket.send(message) }
        }
        try await TestServer(echo).run { port in
            let client = try TestClient(tcp: port)
            var generator = SystemRandomNumberGenerator()
            let request = ClientRequest(host: "a", target: "/test", using: &generator)
            try client.write(
                try request.head().serialized() + [0x81, 0x82, 0, 0, 0, 0, 0x68, 0x69])
            #expect(try client.readHead().status == .switchingProtocols)
            #expect(try client.text() == "hi")
        }
    }
}

@Suite("RFC 9112 Plain requests over a real socket")
struct PlainRequestTests {
    static let requests: [(name: String, head: String, status: Int)] = [
        ("page", "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n", 200),
        ("page, HEAD", "HEAD / HTTP/1.1\r\nHost: localhost\r\n\r\n", 200),
        ("page, POST", "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n", 405),
        ("handler without upgrade", "GET /test HTTP/1.1\r\nHost: a\r\n\r\n", 426),
        ("unknown path", "GET /nothing HTTP/1.1\r\nHost: a\r\n\r\n", 404),
        ("dot segments are no path", "GET /x/../test HTTP/1.1\r\nHost: a\r\n\r\n", 404),
        ("fragment", "GET /test#x HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        ("bare line feeds", "GET / HTTP/1.1\nHost: a\n\n", 400),
        ("two Hosts", "GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", 400),
        ("no Host", "GET / HTTP/1.1\r\n\r\n", 400),
        ("malformed Host", "GET / HTTP/1.1\r\nHost: a b\r\n\r\n", 400),
        ("page, the Host of a stranger", "GET / HTTP/1.1\r\nHost: a\r\n\r\n", 421),
        ("page, no Host, HTTP/1.0, as of a health check", "GET / HTTP/1.0\r\n\r\n", 200),
        ("no Host, HTTP/1.0", "GET /test HTTP/1.0\r\n\r\n", 426),
        ("version 2", "GET / HTTP/2.0\r\nHost: a\r\n\r\n", 505),
        (
            "wrong WebSocket version",
            "GET /test HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                + "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 8\r\n\r\n",
            400
        ),
    ]

    @Test("statuses", arguments: requests)
    func status(_ name: String, _ head: String, _ status: Int) async throws {
        try await TestServer(silent).run { port in
            let client = try TestClient(tcp: port)
            try client.write(Array(head.utf8))
            let answer = try client.readHead()
            #expect(answer.status.code == status, "\(name)")
            if name.contains("version") && status == 400 {
                #expect(answer.fields["Sec-WebSocket-Version"] == "13")
            }
        }
    }

    @Test("pipelined requests are answered one after the other, however many")
    func pipelining() async throws {
        try await TestServer(silent).run { port in
            let client = try TestClient(tcp: port)
            let one = "GET /nothing HTTP/1.1\r\nHost: a\r\n\r\n"
            let last = "GET /nothing HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
            try client.write(Array((String(repeating: one, count: 7_500) + last).utf8))
            let text = String(decoding: try client.readToEnd(), as: UTF8.self)
            #expect(text.split(separator: "HTTP/1.1 404").count == 7_501)
        }
    }

    @Test("a head over the limit is 431, a slow one is closed")
    func headLimits() async throws {
        var configuration = Configuration()
        configuration.headByteLimit = 256
        configuration.handshakeTimeout = .milliseconds(50)
        try await TestServer(configuration, silent).run { port in
            let long = try TestClient(tcp: port)
            try long.write(
                Array("GET / HTTP/1.1\r\nX: \(String(repeating: "x", count: 300))\r\n".utf8))
            #expect(try long.readHead().status.code == 431)
            let slow = try TestClient(tcp: port)
            try slow.write(Array("GET / HT".utf8))
            #expect(try slow.endsCleanly())
        }
    }

    @Test("connections over the limit get 503, and there is room again when one leaves")
    func connectionLimit() async throws {
        var configuration = Configuration()
        configuration.connectionLimit = 1
        configuration.connection.closeTimeout = .milliseconds(50)
        let echo = WebSocketHandler { socket in
            for try await message in socket { try await socket.send(message) }
        }
        try await TestServer(configuration, echo).run { port in
            let first = try TestClient(port)
            let second = try TestClient(tcp: port)
            #expect(try second.readHead().status == .serviceUnavailable)
            try first.sendClose()
            _ = try first.closeReceived()
            #expect(try first.endsCleanly())
            // The place is free when the handler has ended too, a moment later.
            while true {
                do {
                    let third = try TestClient(port)
                    try third.send("room")
                    #expect(try third.text() == "room")
                    return
                } catch TestClientError.refused(let head) {
                    #expect(head.status == .serviceUnavailable)
                }
            }
        }
    }
}
