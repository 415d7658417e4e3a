import Testing
import WebSocketHostTesting

/// Messages that have begun and are not complete.
@Suite("Messages that are not complete")
struct UnfinishedMessageTests {
    /// A frame that announces 1,000,000 bytes, masked with zeros, and the first of them.
    private func beginning(_ byteCount: Int) -> [UInt8] {
        [0x82, 0xFF, 0, 0, 0, 0, 0, 0x0F, 0x42, 0x40, 0, 0, 0, 0]
            + [UInt8](repeating: 7, count: byteCount)
    }

    private func rest(_ byteCount: Int) -> [UInt8] {
        [UInt8](repeating: 7, count: 1_000_000 - byteCount)
    }

    private let whole = Message.binary([UInt8](repeating: 7, count: 1_000_000))

    /// Of all connections that have ended, as the log has it.
    private func receivedByteCount(_ host: TestHost) -> Int? {
        let line = host.logLines.last { $0.contains(" close / ") }
        let words = line?.split(separator: " ") ?? []
        return words.firstIndex(of: "received").flatMap { Int(words[$0 + 3]) }
    }

    @Test(
        "what is read ahead of a handler that does not receive has the receive queue's limit",
        arguments: [16_384, 65_536, 262_144])
    func heldBack(_ byteLimit: Int) async throws {
        var configuration = Configuration()
        configuration.connection.receiveQueueByteLimit = byteLimit
        let handler = WebSocketHandler { try await $0.sleep(for: .seconds(60)) }
        try await checkHeldBack(
            TestHost(handler, configuration: configuration, logLevel: .info), byteLimit)
    }

    @Test("a route can have a receive queue of its own", arguments: [16_384, 262_144])
    func heldBackByRoute(_ byteLimit: Int) async throws {
        let handler = WebSocketHandler(maxReceiveQueueSize: byteLimit) { socket in
            #expect(socket.settings.receiveQueueByteLimit == byteLimit)
            try await socket.sleep(for: .seconds(60))
        }
        try await checkHeldBack(TestHost(handler, logLevel: .info), byteLimit)
    }

    @Test("one of less than a byte has one, and messages come all the same")
    func smallestQueue() async throws {
        let handler = WebSocketHandler(maxReceiveQueueSize: 0) { socket in
            #expect(socket.settings.receiveQueueByteLimit == 1)
            try await socket.sleep(for: .seconds(1))
            while let message = try await socket.receive() { try await socket.send(message) }
        }
        let host = try TestHost(handler)
        let client = try await host.connect()
        for text in ["one", "two"] { try await client.send(text) }
        try await host.advance(by: .seconds(1))
        for text in ["one", "two"] { #expect(try await client.receive() == .text(text)) }
        try await client.close()
    }

    private func checkHeldBack(_ host: TestHost, _ byteLimit: Int) async throws {
        let client = try await host.connect()
        try await client.unsafeSend(beginning(10_000))
        for _ in 0..<60 { try await client.unsafeSend([UInt8](repeating: 7, count: 16_000)) }
        try await client.drop()
        let count = try #require(receivedByteCount(host))
        // One read goes over it.
        #expect(count >= byteLimit && count < byteLimit + 17_000)
    }

    @Test("Pings between the fragments change nothing about that") func heldBackAtPings()
        async throws
    {
        let handler = WebSocketHandler { try await $0.sleep(for: .seconds(60)) }
        let host = try TestHost(handler, logLevel: .info)
        let client = try await host.connect()
        let payload = [UInt8](repeating: 7, count: 16_000)
        // Each read ends with a Ping, and so never inside a frame.
        for number in 0..<60 {
            try await client.unsafeSend(
                [number == 0 ? 0x02 : 0x00, 0xFE, 0x3E, 0x80, 0, 0, 0, 0] + payload
                    + [0x89, 0x80, 0, 0, 0, 0])
        }
        try await client.drop()
        let count = try #require(receivedByteCount(host))
        #expect(count >= 65_536 && count < 65_536 + 17_000)
    }

    @Test("a handler that receives later, or all the time, gets all of it", arguments: [0, 30])
    func taken(after seconds: Int) async throws {
        let handler = WebSocketHandler { socket in
            try await socket.sleep(for: .seconds(seconds))
            while let message = try await socket.receive() { try await socket.send(message) }
        }
        let host = try TestHost(handler)
        let client = try await host.connect()
        for _ in 0..<2 {
            try await client.unsafeSend(beginning(10_000))
            for _ in 0..<9 { try await client.unsafeSend([UInt8](repeating: 7, count: 100_000)) }
            try await client.unsafeSend(rest(910_000))
        }
        try await host.advance(by: .seconds(30))
        for _ in 0..<2 { #expect(try await client.receive() == whole) }
        try await client.close()
    }

    @Test("a handler that waits in vain now and then gets all of it too")
    func takenPieceByPiece() async throws {
        let handler = WebSocketHandler { socket in
            while true {
                do throws(ConnectionError) {
                    guard let message = try await socket.receive(timeout: .milliseconds(1)) else {
                        return
                    }
                    try await socket.send(message)
                } catch .timedOut {
                    try await socket.sleep(for: .seconds(1))
                }
            }
        }
        let host = try TestHost(handler)
        let client = try await host.connect()
        try await client.unsafeSend(beginning(910_000))
        try await client.unsafeSend(rest(910_000))
        try await host.advance(by: .seconds(30))
        #expect(try await client.receive() == whole)
        try await client.close()
    }

    @Test("our Close is answered though the rest of a message was held back")
    func closing() async throws {
        let handler = WebSocketHandler { socket in
            try await socket.sleep(for: .seconds(1))
            try await socket.close(4000)
        }
        let host = try TestHost(handler)
        let client = try await host.connect(settings: TestClientSettings(answersClose: false))
        try await client.unsafeSend(beginning(910_000))
        try await client.unsafeSend(rest(910_000))
        try await host.advance(by: .seconds(1))
        #expect(try await client.receiveClose() == Close(4000))
        try await client.sendClose(4001)
        try await client.receiveEnd()
        #expect(host.openConnectionCount == 0)
    }

    @Test("over the limit of all together, the one that began first is given up, with 1013")
    func limitOfAll() async throws {
        var configuration = Configuration()
        configuration.unfinishedMessagesByteLimit = 2_900_000
        configuration.connection.messageByteLimit = 1_000_000
        let host = try TestHost(echo, configuration: configuration, logLevel: .info)
        let stalled = try await host.connect()
        try await stalled.unsafeSend(beginning(900_000))
        let slow = try await host.connect()
        try await slow.unsafeSend(beginning(900_000))
        // Not counted.
        let small = try await host.connect()
        try await small.unsafeSend(beginning(16_000))
        // Begin and end, many times.
        for _ in 0..<20 {
            let quick = try await host.connect()
            try await quick.unsafeSend(beginning(150_000))
            try await quick.unsafeSend(rest(150_000))
            #expect(try await quick.receive() == whole)
            try await quick.close()
        }
        #expect(host.openConnectionCount == 3)
        let third = try await host.connect()
        try await third.unsafeSend(beginning(900_000))
        let last = try await host.connect()
        try await last.unsafeSend(beginning(300_000))
        #expect(try await stalled.receiveClose().code == .tryAgainLater)
        try await stalled.receiveEnd()
        #expect(host.logLines.contains { $0.contains("failed / ") && $0.contains("2900000 bytes") })
        let others = [(last, 300_000), (third, 900_000), (slow, 900_000), (small, 16_000)]
        for (client, byteCount) in others {
            try await client.unsafeSend(rest(byteCount))
            #expect(try await client.receive() == whole)
            try await client.close()
        }
        #expect(host.openConnectionCount == 0)
    }

    @Test("a limit below that of one message leaves room for one") func smallLimit() async throws {
        var configuration = Configuration()
        configuration.unfinishedMessagesByteLimit = 1
        let host = try TestHost(echo, configuration: configuration)
        let client = try await host.connect()
        try await client.unsafeSend(beginning(900_000))
        try await client.unsafeSend(rest(900_000))
        #expect(try await client.receive() == whole)
        try await client.close()
    }
}
