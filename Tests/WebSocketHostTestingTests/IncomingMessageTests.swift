import Synchronization
import Testing
import WebSocketHostTesting

/// Messages that are never in memory as a whole: what is read when, and what becomes of the rest.
@Suite("Messages received in pieces")
struct IncomingMessageTests {
    /// Counts what a handler did, for the test to look at.
    private final class Count: Sendable {
        private let stored = Mutex(0)
        var value: Int { stored.withLock { $0 } }
        func add(_ number: Int) { stored.withLock { $0 += number } }
    }

    /// A frame of a binary message, masked with zeros.
    private func frame(_ first: UInt8, _ byteCount: Int, _ byte: UInt8 = 7) -> [UInt8] {
        let length =
            byteCount < 126
            ? [0x80 | UInt8(byteCount)]
            : [0xFE, UInt8(byteCount >> 8), UInt8(byteCount & 0xFF)]
        return [first] + length + [0, 0, 0, 0] + [UInt8](repeating: byte, count: byteCount)
    }

    /// Sends back how many bytes of which kind each message has, and how many pieces.
    private static func counting(_ settings: Count = Count()) -> WebSocketHandler {
        WebSocketHandler { socket in
            while let message = try await socket.receiveInPieces() {
                var byteCount = 0
                for try await piece in message.pieces {
                    byteCount += piece.count
                    settings.add(piece.isEmpty ? 1 : 0)
                }
                try await socket.send("\(message.kind) \(byteCount)")
            }
        }
    }

    @Test("each message in pieces, whole ones and empty ones too")
    func kinds() async throws {
        let empty = Count()
        let host = try TestHost(Self.counting(empty))
        let client = try await host.connect()
        try await client.send("")
        #expect(try await client.receive() == .text("text 0"))
        try await client.send([1, 2, 3])
        #expect(try await client.receive() == .text("binary 3"))
        try await client.unsafeSend(frame(0x01, 40_000, 0x61))
        try await client.unsafeSend(frame(0x00, 0) + frame(0x00, 40_000, 0x61))
        try await client.ping([5])
        #expect(try await client.receivePong() == [5])
        try await client.unsafeSend(frame(0x80, 0))
        #expect(try await client.receive() == .text("text 80000"))
        #expect(empty.value == 0)
        try await client.close()
    }

    @Test("several messages in one read, whole, cut and compressed")
    func several() async throws {
        let host = try TestHost(Self.counting())
        let client = try await host.connect(
            settings: TestClientSettings(compression: CompressionSettings()))
        let byteCounts = [5, 300, 100_000, 0, 700_000, 1]
        for byteCount in byteCounts {
            try await client.send([UInt8](repeating: 3, count: byteCount))
        }
        for byteCount in byteCounts {
            #expect(try await client.receive() == .text("binary \(byteCount)"))
        }
        try await client.close()
    }

    @Test(
        "pieces that are not taken are read ahead up to the receive queue's limit",
        arguments: [false, true])
    func receivingWaits(goesOn: Bool) async throws {
        let taken = Count()
        let handler = WebSocketHandler { socket in
            guard let message = try await socket.receiveInPieces() else { return }
            for try await piece in message.pieces {
                taken.add(piece.count)
                if taken.value == 16_000 { try await socket.sleep(for: .seconds(60)) }
            }
            try await socket.send("done")
        }
        var configuration = Configuration()
        configuration.connection.receiveQueueByteLimit = 50_000
        configuration.connection.messageByteLimit = 1 << 30
        let host = try TestHost(handler, configuration: configuration, logLevel: .info)
        let client = try await host.connect()
        for number in 0..<100 {
            try await client.unsafeSend(frame(number == 0 ? 0x02 : 0x00, 16_000))
        }
        #expect(taken.value == 16_000)
        if goesOn {
            try await client.unsafeSend(frame(0x80, 0))
            try await host.advance(by: .seconds(60))
            #expect(try await client.receive() == .text("done"))
            return #expect(taken.value == 1_600_000)
        }
        try await client.drop()
        let line = try #require(host.logLines.last { $0.contains(" close / ") })
        let words = line.split(separator: " ")
        let place = try #require(words.firstIndex(of: "received"))
        let byteCount = try #require(Int(words[place + 3]))
        // What was taken, four more pieces, and one read of what is not parsed.
        #expect(byteCount >= 66_000 && byteCount <= 6 * 16_100)
    }

    @Test("a message that had begun to be kept is given from its first byte")
    func kept() async throws {
        let handler = WebSocketHandler { socket in
            try await socket.sleep(for: .seconds(1))
            guard let message = try await socket.receiveInPieces() else { return }
            var pieces: [[UInt8]] = []
            for try await piece in message.pieces { pieces.append(piece) }
            try await socket.send("\(pieces.map(\.count))")
        }
        let host = try TestHost(handler)
        let client = try await host.connect()
        try await client.unsafeSend(frame(0x02, 1_000))
        try await host.advance(by: .seconds(1))
        try await client.unsafeSend(frame(0x80, 500))
        #expect(try await client.receive() == .text("[1000, 500]"))
    }

    @Test("what is not taken of a message is skipped, by either way to receive")
    func skipped() async throws {
        let handler = WebSocketHandler { socket in
            // In order: in pieces, in pieces, whole, in pieces.
            for number in 0..<4 {
                if number == 2 {
                    let message = try await socket.receive()
                    try await socket.send("whole \(message?.payloadByteCount ?? -1)")
                    continue
                }
                guard let message = try await socket.receiveInPieces() else { return }
                for try await piece in message.pieces {
                    try await socket.send("\(number): \(piece[0])")
                    break
                }
                if number == 0 { try await socket.sleep(for: .seconds(1)) }
            }
        }
        let host = try TestHost(handler)
        let client = try await host.connect()
        for number: UInt8 in 0..<4 {
            try await client.unsafeSend(frame(0x02, 10, number))
            try await client.unsafeSend(frame(0x00, 10, 99) + frame(0x80, 10, 99))
        }
        try await host.advance(by: .seconds(1))
        for text in ["0: 0", "1: 1", "whole 30", "3: 3"] {
            #expect(try await client.receive() == .text(text))
        }
        #expect(try await client.receiveClose() == Close(.normalClosure))
    }

    @Test("pieces of a message that was skipped throw, those of one that was read are no more")
    func stale() async throws {
        let handler = WebSocketHandler { socket in
            guard let first = try await socket.receiveInPieces() else { return }
            for try await _ in first.pieces {}
            for try await _ in first.pieces { try await socket.send("again") }
            guard let second = try await socket.receiveInPieces() else { return }
            _ = try await socket.receive()
            do {
                for try await _ in second.pieces { try await socket.send("skipped") }
            } catch ConnectionError.messageSkipped {
                try await socket.send("thrown")
            }
        }
        let host = try TestHost(handler)
        let client = try await host.connect()
        for _ in 0..<3 { try await client.unsafeSend(frame(0x02, 10) + frame(0x80, 10)) }
        #expect(try await client.receive() == .text("thrown"))
    }

    @Test("a wait that was cancelled or took too long leaves the message whole")
    func interrupted() async throws {
        let handler = WebSocketHandler { socket in
            await #expect(throws: ConnectionError.timedOut) {
                try await socket.receiveInPieces(timeout: .seconds(1))
            }
            await withThrowingTaskGroup(of: Bool.self) { group in
                group.addTask { try await socket.receiveInPieces() != nil }
                try? await socket.sleep(for: .seconds(1))
                await #expect(throws: ConnectionError.receiveInProgress) {
                    try await socket.receiveInPieces()
                }
                group.cancelAll()
                await #expect(throws: ConnectionError.cancelled) { try await group.next() }
            }
            guard let message = try await socket.receive() else { return }
            try await socket.send(message)
            // A piece can be waited for in vain too.
            guard let message = try await socket.receiveInPieces() else { return }
            await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask {
                    for try await piece in message.pieces where piece.count > 10 { return }
                }
                try? await socket.sleep(for: .seconds(1))
                group.cancelAll()
                await #expect(throws: ConnectionError.cancelled) { try await group.next() }
            }
            for try await piece in message.pieces { try await socket.send(piece) }
        }
        let host = try TestHost(handler)
        let client = try await host.connect()
        try await host.advance(by: .seconds(2))
        try await client.unsafeSend(frame(0x02, 10))
        try await client.unsafeSend(frame(0x80, 10))
        #expect(try await client.receive() == .binary([UInt8](repeating: 7, count: 20)))
        try await client.unsafeSend(frame(0x02, 10))
        try await host.advance(by: .seconds(1))
        try await client.unsafeSend(frame(0x80, 9))
        #expect(try await client.receive() == .binary([UInt8](repeating: 7, count: 9)))
    }

    /// How the handler's wait for the next piece ended.
    private func ending(
        _ configuration: Configuration = Configuration(),
        _ act: (TestClient) async throws -> Void
    ) async throws -> ConnectionError? {
        let thrown = Mutex<ConnectionError?>(nil)
        let handler = WebSocketHandler { socket in
            do throws(ConnectionError) {
                while let message = try await socket.receiveInPieces() {
                    for try await _ in message.pieces {}
                }
            } catch {
                thrown.withLock { $0 = error }
                throw error
            }
        }
        let host = try TestHost(handler, configuration: configuration)
        let client = try await host.connect()
        try await client.unsafeSend(frame(0x01, 10, 0x61))
        try await act(client)
        #expect(host.openConnectionCount == 0)
        return thrown.withLock { $0 }
    }

    @Test("the end of the connection in the middle of a message is thrown, a Close too")
    func ended() async throws {
        #expect(
            try await ending { try await $0.close(4000) } == .closed(Close(4000)))
        #expect(try await ending { try await $0.drop() } == .lost)
    }

    @Test("wrong text closes with 1007 in its piece, too long a message with 1009")
    func wrong() async throws {
        let text = try await ending { client in
            try await client.unsafeSend(frame(0x00, 10, 0xFF))
            #expect(try await client.receiveClose().code == .invalidFramePayloadData)
            try await client.receiveEnd()
        }
        #expect(text == .failed(.invalidUTF8))
        var configuration = Configuration()
        configuration.connection.messageByteLimit = 15
        let long = try await ending(configuration) { client in
            try await client.unsafeSend(frame(0x00, 10))
            #expect(try await client.receiveClose().code == .messageTooBig)
            try await client.receiveEnd()
        }
        #expect(long == .failed(.messageTooBig(byteCount: 20, byteLimit: 15)))
    }

    @Test("an echo in pieces keeps pace with both ends")
    func echo() async throws {
        let handler = WebSocketHandler { socket in
            while let message = try await socket.receiveInPieces() {
                try await socket.send(pieces: message.pieces, as: message.kind)
            }
        }
        let host = try TestHost(handler)
        let client = try await host.connect()
        let text = String(repeating: "äöü€", count: 30_000)
        try await client.send(text)
        #expect(try await client.receive() == .text(text))
        try await client.send([1, 2, 3])
        #expect(try await client.receive() == .binary([1, 2, 3]))
        try await client.close()
    }
}
