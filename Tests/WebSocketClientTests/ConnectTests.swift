import EventLoop
import HTTPProtocol
import TestSupport
import Testing
import WebSocketClient
import WebSocketHost
import WebSocketProtocol

@Suite("What a client makes of answers that open no connection (RFC 6455 §4.1)")
struct ConnectTests {
    static let urls = [
        "", "localhost", "http://localhost/", "ws:/x", "ws://", "ws://a:0/", "ws://a:65536/",
        "ws://a/#b", "ws://a b/",
        "ws://us%zzer@a/", "ws://a%3Ab:c@a/", "ws://a:%00@a/", "ws://[::1%25]/", "ws://[::1%lo]/",
    ]

    @Test("no WebSocket URL", arguments: urls)
    func url(_ url: String) async throws {
        let client = WebSocketClient(.patient)
        await #expect(throws: ConnectError.invalidURL(url)) { _ = try await client.connect(url) }
    }

    @Test("a request that cannot be sent")
    func unsendable() async throws {
        let client = WebSocketClient(.patient)
        await #expect(throws: ConnectError.self) {
            _ = try await client.connect("ws://127.0.0.1:1/", origin: "a\r\nb: c")
        }
    }

    @Test("a port without a listener, a name without a host")
    func unreachable() async throws {
        let client = WebSocketClient(.patient)
        let port = try #require(UnansweredPort())
        let refused = await error {
            _ = try await client.connect("ws://127.0.0.1:\(port.number)/")
        }
        guard case .unreachable(let address, _) = refused else {
            Issue.record("\(refused.map { "\($0)" } ?? "connected")")
            return
        }
        #expect(address == (try SocketAddress.resolve(host: "127.0.0.1", port: port.number)[0]))
        guard
            case .unknownHost = await error({
                _ = try await client.connect("ws://no.such.invalid/")
            })
        else {
            Issue.record("a name that stands for nothing")
            return
        }
    }

    private func error(_ body: () async throws -> Void) async -> ConnectError? {
        do {
            try await body()
            return nil
        } catch {
            return error as? ConnectError
        }
    }

    @Test("localhost is tried at both of its addresses")
    func bothAddresses() async throws {
        try await Pair(WebSocketHandler { socket in try await socket.send("hello") }).run {
            client, url in
            let socket = try await client.connect(url.replacing("127.0.0.1", with: "localhost"))
            #expect(try await socket.receive() == .text("hello"))
        }
    }

    static let answers: [(name: String, answer: String, error: ConnectError)] = [
        ("no HTTP", "SSH-2.0-x\r\n\r\n", .malformedAnswer(.malformedStatusLine)),
        ("nothing", "", .lost),
        ("half a head", "HTTP/1.1 101 S\r\nUpgrade: web", .lost),
        (
            "without the key's answer",
            "HTTP/1.1 101 S\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n",
            .handshake(.missingAcceptKey)
        ),
        (
            "wrong answer to the key",
            "HTTP/1.1 101 S\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                + "Sec-WebSocket-Accept: x\r\n\r\n",
            .handshake(.wrongAcceptKey("x"))
        ),
        (
            "without Upgrade", "HTTP/1.1 101 S\r\nConnection: Upgrade\r\n\r\n",
            .handshake(.notAnUpgrade)
        ),
    ]

    @Test("answers that are wrong", arguments: answers)
    func wrong(_ name: String, _ answer: String, _ error: ConnectError) async throws {
        let server = try CannedServer(answer)
        let client = WebSocketClient(.patient)
        await #expect(throws: error, "\(name)") { _ = try await client.connect(server.url) }
    }

    static let choices:
        [(name: String, subprotocol: String?, extensions: String?, error: HandshakeError)] = [
            ("subprotocol that was not offered", "x", nil, .unofferedSubprotocol("x")),
            ("extension that was not offered", nil, "x", .unofferedExtension("x")),
            (
                "parameter that no server may send", nil, "permessage-deflate; x",
                .invalidExtensionAnswer("permessage-deflate; x")
            ),
            (
                "the same extension twice", nil, "permessage-deflate, permessage-deflate",
                .invalidExtensionAnswer("permessage-deflate, permessage-deflate")
            ),
        ]

    @Test("choices that were not offered", arguments: choices)
    func unoffered(
        _ name: String, _ subprotocol: String?, _ extensions: String?, _ error: HandshakeError
    ) async throws {
        let handler = WebSocketHandler(
            doExtraHandshake: { request in
                let key = AcceptKey.value(for: request.fields["Sec-WebSocket-Key"] ?? "")
                var answer = "HTTP/1.1 101 S\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                answer += "Sec-WebSocket-Accept: \(key)\r\n"
                if let subprotocol { answer += "Sec-WebSocket-Protocol: \(subprotocol)\r\n" }
                if let extensions { answer += "Sec-WebSocket-Extensions: \(extensions)\r\n" }
                request.unsafeResponse = Array((answer + "\r\n").utf8)
            }, transferData: { _ in })
        try await Pair(handler).run { client, url in
            await #expect(throws: ConnectError.handshake(error), "\(name)") {
                _ = try await client.connect(url)
            }
        }
    }

    @Test("a refusal comes with its head and body")
    func refused() async throws {
        let handler = WebSocketHandler(
            doExtraHandshake: { _ in
                throw HandshakeRejection(
                    .unauthorized, fields: ["WWW-Authenticate": "Basic"], body: "who?")
            }, transferData: { _ in })
        try await Pair(handler).run { client, url in
            let refusal = await error { _ = try await client.connect(url) }
            guard case .refused(let head, let body) = refusal else {
                Issue.record("\(refusal.map { "\($0)" } ?? "connected")")
                return
            }
            #expect(head.status == .unauthorized && head.fields["WWW-Authenticate"] == "Basic")
            #expect(String(decoding: body, as: UTF8.self).hasPrefix("who?"))
        }
    }

    @Test("a server that never answers: the time limit, and cancellation before it")
    func silence() async throws {
        let server = try CannedServer(nil)
        var configuration = ClientConfiguration.patient
        configuration.connectTimeout = .milliseconds(20)
        let impatient = WebSocketClient(configuration)
        await #expect(throws: ConnectError.timedOut) { _ = try await impatient.connect(server.url) }
        let patient = WebSocketClient(.patient)
        let task = Task { try await patient.connect(server.url) }
        task.cancel()
        await #expect(throws: ConnectError.cancelled) { _ = try await task.value }
    }

    @Test("a head over the limit")
    func longHead() async throws {
        let field = "X: " + String(repeating: "x", count: 20_000)
        let server = try CannedServer("HTTP/1.1 101 S\r\n\(field)\r\n\r\n")
        let client = WebSocketClient(.patient)
        await #expect(throws: ConnectError.malformedAnswer(.head(.headTooLong(byteLimit: 16_384))))
        {
            _ = try await client.connect(server.url)
        }
    }

    @Test(
        "§4.1: connections to one address are opened in turn, and a lost one lets the next begin"
    )
    func serialized() async throws {
        let presence = Presence()
        let handler = WebSocketHandler(
            doExtraHandshake: { request in
                await presence.enter()
                for _ in 0..<20 { await Task.yield() }
                await presence.leave()
                if request.query["refuse"] != nil { throw HandshakeRejection(.forbidden) }
            }, transferData: { socket in try await socket.send("hello") })
        try await Pair(handler).run { client, url in
            try await withThrowingTaskGroup(of: Bool.self) { group in
                for number in 0..<24 {
                    group.addTask {
                        guard number % 3 > 0 else {
                            let error = await error {
                                _ = try await client.connect(url + "?refuse")
                            }
                            return error != nil
                        }
                        let socket = try await client.connect(url)
                        return try await socket.receive() == .text("hello")
                    }
                }
                for try await isRight in group { #expect(isRight) }
            }
        }
        #expect(await presence.most == 1)
    }
}
