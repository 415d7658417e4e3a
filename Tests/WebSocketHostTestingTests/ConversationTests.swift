import EventLoop
import Testing

@testable import WebSocketHostTesting

@Suite("The test kit: conversations")
struct ConversationTests {
    @Test(
        "messages of each kind and length come through",
        arguments: [0, 1, 125, 126, 127, 65_535, 65_536, 300_000])
    func messages(_ byteCount: Int) async throws {
        let client = try await TestHost(echo).connect()
        let text = String(repeating: "x", count: byteCount)
        let bytes = (0..<byteCount).map { UInt8(truncatingIfNeeded: $0) }
        try await client.send(text)
        try await client.send(bytes)
        try await client.send(Message.text(text))
        #expect(try await client.receive() == .text(text))
        #expect(try await client.receive() == .binary(bytes))
        #expect(try await client.receive() == .text(text))
        try await client.receiveNothing()
    }

    @Test("fragments are one message, with a Ping in between")
    func fragments() async throws {
        let client = try await TestHost(echo).connect()
        try await client.send("Hel", end: false)
        try await client.ping([1, 2])
        #expect(try await client.receivePong() == [1, 2])
        try await client.send("lo", end: true)
        #expect(try await client.receive() == .text("Hello"))
    }

    @Test(
        "compression is that of the server, for each mode",
        arguments: CompressionSettings.Mode.allCases)
    func compression(_ mode: CompressionSettings.Mode) async throws {
        var configuration = Configuration()
        configuration.connection.compression.mode = mode
        let client = try await TestHost(echo, configuration: configuration)
            .connect(settings: TestClientSettings(compression: CompressionSettings()))
        #expect((client.compression != nil) == (mode != .off))
        for count in [1, 10, 100_000] {
            let text = String(repeating: "again ", count: count)
            try await client.send(text)
            #expect(try await client.receive() == .text(text))
        }
    }

    @Test("connections of one host meet")
    func several() async throws {
        let sockets = AsyncStream.makeStream(of: WebSocket.self)
        let handler = WebSocketHandler { socket in
            sockets.continuation.yield(socket)
            while try await socket.receive() != nil {}
        }
        let host = try TestHost(handler)
        let clients = [try await host.connect(), try await host.connect()]
        var opened = sockets.stream.makeAsyncIterator()
        for client in clients {
            // From the test's own task, which is not on the loop.
            try await opened.next()?.send("hello")
            #expect(try await client.receive() == .text("hello"))
        }
        #expect(host.openConnectionCount == 2)
    }

    @Test("a host that is let go leaves no loop behind", .timeLimit(.minutes(5)))
    func letGo() async throws {
        weak var loop: Loop?
        func converse() async throws {
            let host = try TestHost(echo)
            loop = host.loop
            let client = try await host.connect()
            try await client.send("hello")
            #expect(try await client.receive() == .text("hello"))
            try await client.close()
        }
        try await converse()
        // Its thread ends by itself.
        while loop != nil { await Task.yield() }
    }

    @Test("what another thread does is waited for")
    func otherThreads() async throws {
        let handler = WebSocketHandler { socket in
            for try await message in socket {
                try await Task.detached {
                    for _ in 0..<100 { await Task.yield() }
                    try await socket.send(message)
                }.value
            }
        }
        // The threads that detached tasks run on are other tests' too, and some of those keep them
        // for long.
        let client = try await TestHost(handler, patience: .seconds(120)).connect()
        for number in 0..<20 {
            try await client.send("\(number)")
            #expect(try await client.receive() == .text("\(number)"))
        }
    }

    @Test(
        "what breaks the rules is answered as RFC 6455 wants",
        arguments: [
            ("an unmasked frame", [0x81, 0x05, 0x48, 0x65, 0x6C, 0x6C, 0x6F], .protocolError),
            ("a reserved bit", [0xC1, 0x80, 0, 0, 0, 0], .protocolError),
            ("bytes that are no UTF-8", [0x81, 0x81, 0, 0, 0, 0, 0xFF], .invalidFramePayloadData),
        ] as [(String, [UInt8], CloseCode)])
    func faults(_ name: String, _ bytes: [UInt8], _ code: CloseCode) async throws {
        let client = try await TestHost(echo).connect()
        try await client.unsafeSend(bytes)
        #expect(try await client.receiveClose().code == code, "\(name)")
        try await client.receiveEnd()
    }

    @Test("a client that reads nothing makes send wait, and then the others fail")
    func backPressure() async throws {
        var configuration = Configuration()
        configuration.connection.sendQueueByteMark = 1_000
        configuration.connection.sendQueueByteLimit = 2_000
        let handler = WebSocketHandler { socket in
            _ = try await socket.receive()
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<3 {
                    group.addTask { try await socket.send([UInt8](repeating: 0, count: 800)) }
                }
                try await group.waitForAll()
            }
        }
        let host = try TestHost(handler, configuration: configuration)
        let client = try await host.connect()
        try await client.pauseReading()
        try await client.send("go")
        try await client.receiveNothing()
        try await client.resumeReading()
        for _ in 0..<2 {
            #expect(try await client.receive() == .binary([UInt8](repeating: 0, count: 800)))
        }
        #expect(try await client.receiveClose() == Close(.internalError))
        #expect(host.logLines.contains { $0.contains("--max-queue-size") })
    }
}
