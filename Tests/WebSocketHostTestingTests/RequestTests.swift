import HTTPProtocol
import Testing
import WebSocketHostTesting

/// What handlers read of a request, and small things that they send.
@Suite("Requests, tokens, Pings and odd Closes")
struct RequestTests {
    @Test(
        "the query as it came",
        arguments: [("/?a=%20&b", "a=%20&b"), ("/?", ""), ("/", nil), ("/?a?b", "a?b")]
            as [(String, String?)])
    func rawQuery(_ target: String, _ query: String?) async throws {
        let host = try TestHost(
            WebSocketHandler { socket in
                try await socket.send(socket.request.rawQuery ?? "no query")
            })
        let client = try await host.connect(target)
        #expect(try await client.receive() == .text(query ?? "no query"))
    }

    @Test("a token is the handler's alone: it is neither answered nor logged")
    func token() async throws {
        let handler = WebSocketHandler(
            doExtraHandshake: { request in
                guard request.bearerToken == "secret" else {
                    throw HandshakeRejection(.unauthorized)
                }
                #expect(!request.offeredSubprotocols.contains("secret"))
                request.subprotocol = request.offeredSubprotocols.last
            }, transferData: { _ in })
        let host = try TestHost(handler, logLevel: .fine)
        let fields: Fields = ["Authorization": "Bearer secret"]
        #expect(try await host.connect(fields: fields).subprotocol == nil)
        let offers = ["chat", "bearer", "secret"]
        #expect(try await host.connect(subprotocols: offers).subprotocol == "bearer")
        let kubernetes = "base64url.bearer.authorization.k8s.io.c2VjcmV0"
        #expect(try await host.connect(subprotocols: [kubernetes, "v4"]).subprotocol == "v4")
        await #expect(throws: TestRejection.self) { try await host.connect() }
        #expect(!host.logLines.contains { $0.contains("secret") || $0.contains("c2VjcmV0") })
    }

    @Test("a handler that answers a token all the same gets an error, and the client no token")
    func echoedToken() async throws {
        let handler = WebSocketHandler(
            doExtraHandshake: { $0.subprotocol = $0.bearerToken }, transferData: { _ in })
        let host = try TestHost(handler)
        await #expect(throws: TestRejection.self) {
            try await host.connect(subprotocols: ["bearer", "secret"])
        }
    }

    @Test("a Ping that nobody waits for, and one that is") func pings() async throws {
        let host = try TestHost(
            WebSocketHandler { socket in
                #expect(try await socket.ping([1], waitsForAnswer: false) == nil)
                try await socket.send("sent")
                #expect(try await socket.ping([2], waitsForAnswer: true) != nil)
                try await socket.send("answered")
            })
        let client = try await host.connect()
        #expect(try await client.receivePing() == [1])
        #expect(try await client.receive() == .text("sent"))
        #expect(try await client.receivePing() == [2])
        #expect(try await client.receive() == .text("answered"))
    }

    @Test(
        "Closes that must not be sent",
        arguments: [
            (1_005, "", [0x88, 0x02, 0x03, 0xED]),
            (999, "no", [0x88, 0x04, 0x03, 0xE7, 0x6E, 0x6F]),
            (nil, "", [0x88, 0x00]), (nil, "x", [0x88, 0x01, 0x78]),
        ] as [(UInt16?, String, [UInt8])])
    func closes(_ code: UInt16?, _ reason: String, _ bytes: [UInt8]) {
        #expect(UnsafeFrame.close(code, reason: reason).bytes == bytes)
    }
}
