import Testing
import WebSocketHostTesting

/// How many messages a client may send in a second.
@Suite("The message rate")
struct MessageRateTests {
    /// Ten a second, three at once.
    private static let rate = MessageRate(10, burst: 3)

    private static func echo(_ rate: MessageRate?) -> WebSocketHandler {
        WebSocketHandler(messageRate: rate) { socket in
            for try await message in socket { try await socket.send(message) }
        }
    }

    /// Of a client, masked with zeros.
    private func frame(_ opcode: UInt8, _ payload: [UInt8], isFinal: Bool = true) -> [UInt8] {
        let head: [UInt8] = [(isFinal ? 0x80 : 0) | opcode]
        let length: [UInt8] =
            payload.count < 126
            ? [0x80 | UInt8(payload.count)]
            : [0xFE, UInt8(payload.count >> 8), UInt8(payload.count & 0xFF)]
        return head + length + [0, 0, 0, 0] + payload
    }

    private func texts(_ texts: [String]) -> [UInt8] {
        texts.flatMap { frame(1, Array($0.utf8)) }
    }

    private func expect(_ client: TestClient, _ texts: [String]) async throws {
        for text in texts { #expect(try await client.receive() == .text(text)) }
        try await client.receiveNothing()
    }

    @Test("a client that sends more waits, and nothing is lost", arguments: [false, true])
    func waits(atOnce: Bool) async throws {
        let host = try TestHost(Self.echo(Self.rate), logLevel: .info)
        let client = try await host.connect()
        let all = ["a", "b", "c", "d", "e", "f", "g"]
        let parts = atOnce ? [all] : all.map { [$0] }
        for part in parts { try await client.unsafeSend(texts(part)) }
        // The fourth is one too many: it is taken, and waited for.
        try await expect(client, ["a", "b", "c", "d"])
        try await host.advance(by: .milliseconds(99))
        try await expect(client, [])
        try await host.advance(by: .milliseconds(1))
        try await expect(client, ["e"])
        try await host.advance(by: .milliseconds(200))
        try await expect(client, ["f", "g"])
        // After silence there is a whole burst again.
        try await host.advance(by: .seconds(5))
        try await client.unsafeSend(texts(all))
        try await expect(client, ["a", "b", "c", "d"])
        try await host.advance(by: .milliseconds(300))
        try await expect(client, ["e", "f", "g"])
        let lines = host.logLines.filter { $0.contains("slowed") }
        try await host.advance(by: .milliseconds(100))
        #expect(lines.count == 1)
        #expect(lines.first?.contains("10 messages a second (--messages-per-second)") == true)
        try await client.close()
    }

    @Test("or is closed with 1008, where the route says so; the one too many is dropped")
    func closes() async throws {
        let host = try TestHost(
            Self.echo(MessageRate(10, burst: 3, excess: .closes)), logLevel: .info)
        let client = try await host.connect()
        try await client.unsafeSend(texts(["a", "b", "c"]))
        try await expect(client, ["a", "b", "c"])
        try await host.advance(by: .milliseconds(100))
        try await client.unsafeSend(texts(["d"]))
        try await expect(client, ["d"])
        try await client.unsafeSend(texts(["e", "f"]))
        let close = try await client.receiveClose()
        #expect(close.code == .policyViolation)
        #expect(close.reason == "more than 10 messages a second (--messages-per-second)")
        #expect(host.logLines.contains { $0.contains("closed / ") && $0.contains(close.reason) })
    }

    @Test("the server's rate holds for all routes but those that have their own")
    func settings() async throws {
        var configuration = Configuration()
        configuration.connection.messageRate = MessageRate(1)
        let host = try TestHost(
            [
                "/server": Self.echo(nil), "/own": Self.echo(MessageRate(2)),
                "/any": Self.echo(.unlimited),
            ], configuration: configuration)
        let all = (0..<50).map { "\($0)" }
        for (path, count) in [("/server", 2), ("/own", 3), ("/any", 50)] {
            let client = try await host.connect(path)
            try await client.unsafeSend(texts(all))
            try await expect(client, Array(all.prefix(count)))
        }
    }

    @Test("Pings count, and Pongs that nobody asked for")
    func controlFrames() async throws {
        let host = try TestHost(Self.echo(Self.rate))
        let client = try await host.connect()
        try await client.unsafeSend(
            frame(9, [1]) + frame(10, []) + frame(9, [2]) + frame(9, [3]) + texts(["a"]))
        for number: UInt8 in 1...3 { #expect(try await client.receivePong() == [number]) }
        try await client.receiveNothing()
        try await host.advance(by: .milliseconds(99))
        try await client.receiveNothing()
        try await host.advance(by: .milliseconds(1))
        try await expect(client, ["a"])
    }

    @Test("a Pong that answers the server's Ping does not")
    func ownPings() async throws {
        let handler = WebSocketHandler(messageRate: MessageRate(10, burst: 1)) { socket in
            for _ in 0..<5 { try await socket.ping() }
            for try await message in socket { try await socket.send(message) }
        }
        let client = try await TestHost(handler).connect()
        try await client.send("a")
        try await expect(client, ["a"])
    }

    @Test("a message counts once, in however many frames; but short ones each")
    func fragments() async throws {
        let host = try TestHost(Self.echo(Self.rate))
        let client = try await host.connect()
        let long = [UInt8](repeating: 0x61, count: 1_024)
        var message = frame(1, long, isFinal: false)
        for _ in 0..<20 { message += frame(0, long, isFinal: false) }
        message += frame(0, [])
        try await client.unsafeSend(message + texts(["b"]))
        #expect(try await client.receive() == .text(String(repeating: "a", count: 21 * 1_024)))
        try await expect(client, ["b"])
        try await host.advance(by: .seconds(1))
        // Three short frames and the end, which is owed.
        let short = frame(1, [0x61], isFinal: false) + frame(0, [], isFinal: false)
        try await client.unsafeSend(short + frame(0, [], isFinal: false) + frame(0, [0x62]))
        try await expect(client, ["ab"])
        try await client.unsafeSend(texts(["c"]))
        try await host.advance(by: .milliseconds(99))
        try await expect(client, [])
        try await host.advance(by: .milliseconds(1))
        try await expect(client, ["c"])
    }

    @Test("a flood of empty frames is paid for, each")
    func flood() async throws {
        let host = try TestHost(Self.echo(Self.rate))
        let client = try await host.connect()
        let empty = frame(0, [], isFinal: false)
        try await client.unsafeSend(
            frame(1, [0x61], isFinal: false) + (0..<1_000).flatMap { _ in empty } + frame(0, []))
        try await expect(client, ["a"])
        try await client.unsafeSend(texts(["b"]))
        try await host.advance(by: .seconds(99))
        try await expect(client, [])
        try await host.advance(by: .seconds(2))
        try await expect(client, ["b"])
    }

    @Test("messages in pieces count, those that the handler skips too", arguments: [false, true])
    func pieces(reads: Bool) async throws {
        let handler = WebSocketHandler(messageRate: Self.rate) { socket in
            while let message = try await socket.receiveInPieces() {
                var count = 0
                if reads { for try await piece in message.pieces { count += piece.count } }
                try await socket.send(reads ? "\(count)" : "skipped")
            }
        }
        let host = try TestHost(handler)
        let client = try await host.connect()
        let answer = reads ? "2000" : "skipped"
        let one = frame(2, [UInt8](repeating: 1, count: 1_999), isFinal: false) + frame(0, [1])
        try await client.unsafeSend((0..<6).flatMap { _ in one })
        try await expect(client, [answer, answer, answer, answer])
        try await host.advance(by: .milliseconds(100))
        try await expect(client, [answer])
        try await host.advance(by: .seconds(1))
        try await expect(client, [answer])
    }

    @Test("compressed ones count as well")
    func compressed() async throws {
        let host = try TestHost(Self.echo(Self.rate))
        let client = try await host.connect(
            settings: TestClientSettings(compression: CompressionSettings()))
        // A block of deflate without compression: "a".
        let one = frame(0x41, [0x4A, 0x04, 0x00])
        try await client.unsafeSend((0..<5).flatMap { _ in one })
        try await expect(client, ["a", "a", "a", "a"])
        try await host.advance(by: .milliseconds(100))
        try await expect(client, ["a"])
    }

    @Test(
        "one that waits is not taken for dead, whether it reads or not", arguments: [false, true])
    func keepAlive(reads: Bool) async throws {
        let handler = WebSocketHandler(messageRate: MessageRate(1)) { socket in
            for _ in 0..<200 { _ = try await socket.receive() }
            try await socket.send("all")
        }
        let host = try TestHost(handler)
        let client = try await host.connect()
        if !reads { try await client.pauseReading() }
        // So much that part of it waits where the kernel would be.
        let message = String(repeating: "x", count: 5_000)
        try await client.unsafeSend(texts(Array(repeating: message, count: 200)))
        try await host.advance(by: .seconds(120))
        if !reads { try await client.resumeReading() }
        try await host.advance(by: .seconds(77))
        try await client.receiveNothing()
        try await host.advance(by: .seconds(1))
        #expect(try await client.receive() == .text("all"))
        #expect(try await client.receiveClose().code == .normalClosure)
    }

    @Test("its Close comes behind its messages; the server's at once")
    func closing() async throws {
        let host = try TestHost(Self.echo(Self.rate))
        let client = try await host.connect()
        try await client.unsafeSend(texts(["a", "b", "c", "d"]) + frame(8, [0x03, 0xE8]))
        try await expect(client, ["a", "b", "c", "d"])
        try await host.advance(by: .milliseconds(100))
        #expect(try await client.receiveClose().code == .normalClosure)

        let other = try await host.connect()
        try await other.unsafeSend(texts((0..<100).map { "\($0)" }))
        try await expect(other, ["0", "1", "2", "3"])
        try await host.stop()
        #expect(try await other.receiveClose().code == .goingAway)
        #expect(host.openConnectionCount == 0)
    }
}
