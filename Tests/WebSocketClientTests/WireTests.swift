import HTTPProtocol
import Testing
import WebSocketHost
import WebSocketProtocol

@testable import WebSocketClient

@Suite("RFC 6455 §4.1, §5 What a client puts on the wire")
struct WireTests {
    @Test("the request has what §4.1 asks for, a new key each time, and nothing behind it")
    func request() async throws {
        let requests = AsyncStream<HandshakeRequest>.makeStream()
        let handler = WebSocketHandler(
            doExtraHandshake: { request in
                requests.continuation.yield(request)
                await #expect(throws: ConnectionError.timedOut) {
                    _ = try await request.unsafeReceive(timeout: .milliseconds(20))
                }
            }, transferData: { _ in })
        let pair = try Pair(handler)
        try await pair.run { client, url in
            for _ in 0..<2 { try await client.connect(url + "?a=%20b").close() }
        }
        requests.continuation.finish()
        var keys: Set<String> = []
        for await request in requests.stream {
            #expect(request.target == "/test?a=%20b")
            #expect(request.fields["Host"] == "127.0.0.1:\(pair.port)")
            #expect(request.fields["Upgrade"] == "websocket")
            #expect(request.fields["Connection"] == "Upgrade")
            #expect(request.fields["Sec-WebSocket-Version"] == "13")
            #expect(request.fields["Origin"] == nil)
            let key = request.fields["Sec-WebSocket-Key"] ?? ""
            #expect(AcceptKey.isValid(key))
            keys.insert(key)
        }
        #expect(keys.count == 2)
    }

    static let places: [(url: String, authority: String, port: UInt16, target: String)] = [
        ("ws://Example.com", "example.com", 80, "/"),
        ("ws://example.com:80/a", "example.com", 80, "/a"),
        ("ws://example.com:8080/a/b?c=d", "example.com:8080", 8080, "/a/b?c=d"),
        ("WS://127.0.0.1:1?q", "127.0.0.1:1", 1, "/?q"),
        ("ws://[::1]:9998/", "[::1]:9998", 9998, "/"),
    ]

    @Test("§3, §4.1: where a URL leads, and the Host field it makes", arguments: places)
    func place(_ url: String, _ authority: String, _ port: UInt16, _ target: String) throws {
        let place = try Place(url)
        #expect(place.authority == authority && place.port == port && place.target == target)
    }

    /// The subprotocols of §4.1 are tokens, and each is there once.
    @Test(
        "subprotocols that must not be offered are not",
        arguments: [[""], ["a b"], ["a,b"], ["é"], ["a", "a"]])
    func subprotocols(_ offered: [String]) async throws {
        try await Pair(WebSocketHandler { _ in }).run { client, url in
            let error = await #expect(throws: ConnectError.self) {
                _ = try await client.connect(url, subprotocols: offered)
            }
            // Found here, not by the server, which would refuse it too.
            guard case .handshake = error else {
                Issue.record("\(error.map { "\($0)" } ?? "connected")")
                return
            }
        }
    }

    /// A server that reads what comes and answers nothing, and offers no compression.
    private func bytesSent(
        _ settings: (inout ConnectionSettings) -> Void = { _ in },
        by body: @escaping @Sendable (WebSocket) async throws -> Void
    ) async throws -> [UInt8] {
        let received = AsyncStream<[UInt8]>.makeStream()
        let handler = WebSocketHandler(compression: .off) { socket in
            try await socket.send("ready")
            while let bytes = try? await socket.unsafeReceive() {
                received.continuation.yield(bytes)
            }
            received.continuation.finish()
        }
        var configuration = ClientConfiguration.patient
        configuration.connection.closeTimeout = .milliseconds(20)
        settings(&configuration.connection)
        try await Pair(configuration, handler).run { client, url in
            let socket = try await client.connect(url)
            #expect(try await socket.receive() == .text("ready"))
            #expect(socket.compression == nil)
            try await body(socket)
        }
        var all: [UInt8] = []
        for await bytes in received.stream { all += bytes }
        return all
    }

    @Test(
        "§5.1, §5.3, §9.1: each frame is masked, with its own key, and compressed only if agreed on"
    )
    func masking() async throws {
        let text = String(repeating: "x", count: 300)
        let bytes = try await bytesSent { socket in
            for _ in 0..<50 { try await socket.send(text) }
            try await socket.send("a", end: false)
            try await socket.pong([7])
            try await socket.send("", end: true)
            #expect(try await socket.close(4000) == nil)
        }
        let frames = try Self.frames(bytes)
        #expect(
            frames.map(\.first) == [UInt8](repeating: 0x81, count: 50) + [0x01, 0x8A, 0x80, 0x88])
        #expect(frames.map(\.payload).prefix(50).allSatisfy { $0 == Array(text.utf8) })
        #expect(frames.map(\.payload).suffix(4) == [[0x61], [7], [], [0x0F, 0xA0]])
        #expect(Set(frames.map(\.key)).count == frames.count)
    }

    /// Takes masked frames apart, by hand.
    private static func frames(
        _ bytes: [UInt8]
    ) throws -> [(first: UInt8, key: [UInt8], payload: [UInt8])] {
        var frames: [(UInt8, [UInt8], [UInt8])] = []
        var rest = bytes[...]
        func take(_ count: Int) throws -> [UInt8] {
            try #require(rest.count >= count)
            defer { rest = rest.dropFirst(count) }
            return Array(rest.prefix(count))
        }
        while !rest.isEmpty {
            let head = try take(2)
            try #require(head[1] & 0x80 != 0, "not masked")
            var count = Int(head[1] & 0x7F)
            if count == 126 { count = try take(2).reduce(0) { $0 << 8 | Int($1) } }
            let key = try take(4)
            let payload = try take(count).enumerated().map { $0.element ^ key[$0.offset % 4] }
            frames.append((head[0], key, payload))
        }
        return frames
    }

    @Test("§5.5.1: after a Close of ours nothing follows, not even a Pong")
    func nothingAfterClose() async throws {
        let bytes = try await bytesSent { socket in
            let answer = try await socket.close(4000)
            #expect(answer == nil)
            await #expect(throws: ConnectionError.self) { try await socket.send("too late") }
            await #expect(throws: ConnectionError.self) { try await socket.pong() }
        }
        #expect(try Self.frames(bytes).map(\.first) == [0x88])
    }
}

@Suite("RFC 6455 §5, §7.1.7 What a client fails the connection for")
struct ClientFaultTests {
    static let faults: [(name: String, frame: UnsafeFrame, code: CloseCode)] = [
        (
            "masked", UnsafeFrame(opcode: 1, payload: [0x61], maskingKey: 0x1234_5678),
            .protocolError
        ),
        ("masked Ping", UnsafeFrame(opcode: 9, maskingKey: 1), .protocolError),
        (
            "reserved bit", UnsafeFrame(opcode: 1, payload: [0x61], reservedBits: 0b010),
            .protocolError
        ),
        ("RSV1 on a Ping", UnsafeFrame(opcode: 9, reservedBits: 0b100), .protocolError),
        ("reserved opcode", UnsafeFrame(opcode: 3), .protocolError),
        ("fragmented Ping", UnsafeFrame(opcode: 9, isFinal: false), .protocolError),
        (
            "long Ping", UnsafeFrame(opcode: 9, payload: [UInt8](repeating: 0, count: 126)),
            .protocolError
        ),
        ("long form", UnsafeFrame(opcode: 1, payload: [0x61], lengthByteCount: 8), .protocolError),
        ("continuation of nothing", UnsafeFrame(opcode: 0), .protocolError),
        ("Close 1006", UnsafeFrame(opcode: 8, payload: [0x03, 0xEE]), .protocolError),
        ("text not UTF-8", UnsafeFrame(opcode: 1, payload: [0xC0]), .invalidFramePayloadData),
        (
            "not inflatable", UnsafeFrame(opcode: 1, payload: [6], reservedBits: 0b100),
            .invalidFramePayloadData
        ),
        ("over the limit", UnsafeFrame(opcode: 2, claimedByteCount: 1 << 40), .messageTooBig),
    ]

    @Test("each fault of a server gets its code, and the connection ends", arguments: faults)
    func fault(_ name: String, _ frame: UnsafeFrame, _ code: WebSocketProtocol.CloseCode)
        async throws
    {
        let closes = AsyncStream<Close?>.makeStream()
        let handler = WebSocketHandler { socket in
            try await socket.unsafeWrite(frame.bytes)
            while try await socket.receive() != nil {}
            closes.continuation.yield(await socket.receivedClose)
        }
        try await Pair(handler).run { client, url in
            let socket = try await client.connect(url)
            let error = await #expect(throws: ConnectionError.self, "\(name)") {
                _ = try await socket.receive()
            }
            if case .failed(let fault) = error {
                #expect(fault.closeCode == code)
            } else {
                Issue.record("\(name): \(error.map { "\($0)" } ?? "")")
            }
            var seen = closes.stream.makeAsyncIterator()
            #expect(await seen.next()??.code == code)
        }
    }
}
