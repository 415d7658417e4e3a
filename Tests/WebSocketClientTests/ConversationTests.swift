import HTTPProtocol
import Testing
import WebSocketClient
import WebSocketHost
import WebSocketProtocol

private let echo = WebSocketHandler { socket in
    for try await message in socket { try await socket.send(message) }
}

@Suite("A client and a server of ours")
struct ConversationTests {
    @Test(
        "messages of every length form come back, compressed or not",
        arguments: CompressionSettings.Mode.allCases)
    func lengths(_ mode: CompressionSettings.Mode) async throws {
        var configuration = ClientConfiguration.patient
        configuration.connection.compression.mode = mode
        configuration.connection.messageByteLimit = 1 << 21
        try await Pair(configuration, echo).run { client, url in
            let socket = try await client.connect(url)
            #expect((socket.compression != nil) == (mode != .off))
            for byteCount in [0, 1, 125, 126, 127, 65_535, 65_536, 1 << 20] {
                let text = String(repeating: "wörd ", count: byteCount / 6)
                try await socket.send(text)
                #expect(try await socket.receive() == .text(text))
                let bytes = (0..<byteCount).map { UInt8(truncatingIfNeeded: $0 &* 31) }
                try await socket.send(bytes)
                #expect(try await socket.receive() == .binary(bytes))
            }
            #expect(try await socket.close() == Close(.normalClosure))
        }
    }

    @Test("what the client asked for is seen at both ends")
    func request() async throws {
        let handler = WebSocketHandler(
            doExtraHandshake: { request in
                request.subprotocol = request.offeredSubprotocols.last
            },
            transferData: { socket in
                let request = socket.request
                let seen = [request.origin, request.query["a"], request.fields["X"]].compactMap(
                    \.self)
                try await socket.send(seen.joined(separator: " "))
            })
        try await Pair(handler).run { client, url in
            let socket = try await client.connect(
                url + "?a=b", subprotocols: ["one", "two"], origin: "http://here",
                fields: ["X": "y"])
            #expect(socket.subprotocol == "two" && socket.request.path == "/test")
            #expect(try await socket.receive() == .text("http://here b y"))
            #expect(try await socket.receive() == nil)
            #expect(await socket.receivedClose == Close(.normalClosure))
        }
    }

    @Test("pieces, Pings and their answer time, closing from either side")
    func control() async throws {
        let handler = WebSocketHandler { socket in
            #expect(try await socket.receive() == .text("abc"))
            #expect(try await socket.ping([1, 2]) < .seconds(30))
            try await socket.close(4000, reason: "enough")
        }
        try await Pair(handler).run { client, url in
            let socket = try await client.connect(url)
            try await socket.send("a", end: false)
            #expect(try await socket.ping() < .seconds(30))
            try await socket.send("b", end: false)
            try await socket.send("c", end: true)
            #expect(try await socket.receive() == nil)
            #expect(await socket.receivedClose == Close(4000, reason: "enough"))
        }
    }

    @Test("withConnection closes with 1000; when its body throws, with 1011 or what that names")
    func scoped() async throws {
        struct Wrong: Error {}
        struct Named: ClosingError { let close: Close }
        let closes = AsyncStream<Close>.makeStream()
        let handler = WebSocketHandler(
            transferData: { socket in for try await _ in socket {} },
            passiveClosingHandshake: { close in
                closes.continuation.yield(close)
                return close
            })
        try await Pair(handler).run { client, url in
            let value = try await client.withConnection(to: url) { _ in 7 }
            #expect(value == 7)
            await #expect(throws: Wrong.self) {
                try await client.withConnection(to: url) { _ in throw Wrong() }
            }
            for code: CloseCode in [4001, 1005] {
                await #expect(throws: Named.self) {
                    try await client.withConnection(to: url) { _ in
                        throw Named(close: Close(code))
                    }
                }
            }
        }
        closes.continuation.finish()
        var codes: [CloseCode?] = []
        for await close in closes.stream { codes.append(close.code) }
        #expect(codes == [.normalClosure, .internalError, 4001, .internalError])
    }

    @Test("a task on the client's own loop")
    func executor() async throws {
        try await Pair(echo).run { client, url in
            let socket = try await client.connect(url)
            let count = try await Task(executorPreference: try client.executor) {
                for number in 0..<500 {
                    try await socket.send("\(number)")
                    guard try await socket.receive() == .text("\(number)") else { return number }
                }
                return 500
            }.value
            #expect(count == 500)
        }
    }

    @Test("an open connection outlives its client, and is dropped when the client is stopped")
    func lifetimes() async throws {
        try await Pair(echo).run { client, url in
            var socket: WebSocket?
            do {
                socket = try await WebSocketClient(.patient, log: Log(level: .critical)).connect(
                    url)
            }
            try await socket?.send("still here")
            #expect(try await socket?.receive() == .text("still here"))
            try await socket?.close()

            let dropped = try await client.connect(url)
            client.stop()
            await #expect(throws: ConnectionError.lost) { _ = try await dropped.receive() }
            await #expect(throws: ConnectError.stopped) { _ = try await client.connect(url) }
        }
    }
}
