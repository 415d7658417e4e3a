import Synchronization
import Testing
import WebSocketHost
import WebSocketProtocol

@Suite("Sequences as messages")
struct PieceSequenceTests {
    private struct Mistake: Error {}

    private static let broken = Close(
        .internalError, reason: "the message could not be completed")

    /// A sequence of these pieces, which then ends, or throws.
    private static func sequence<Piece: Sendable>(
        _ pieces: [Piece], thenThrows: Bool = false
    ) -> AsyncThrowingStream<Piece, any Error> {
        AsyncThrowingStream { continuation in
            for piece in pieces { continuation.yield(piece) }
            continuation.finish(throwing: thenThrows ? Mistake() : nil)
        }
    }

    @Test("bytes, text, and bytes that are text, each piece a frame")
    func kinds() async throws {
        let handler = WebSocketHandler { socket in
            try await socket.send(pieces: Self.sequence([[1, 2], [], [3]]))
            try await socket.send(pieces: Self.sequence(["Gr", "", "üße"]))
            try await socket.send(pieces: Self.sequence([[0xC3], [0xBC]]), as: .text)
        }
        try await TestServer(handler).run { port in
            let client = try TestClient(port)
            let frames = Mutex<[Int]>([])
            client.observe { header in frames.withLock { $0.append(header.payloadByteCount) } }
            #expect(try client.event() == .message(.binary([1, 2, 3])))
            #expect(try client.event() == .message(.text("Grüße")))
            #expect(try client.event() == .message(.text("ü")))
            #expect(frames.withLock { $0 } == [2, 1, 0, 2, 5, 0, 1, 1, 0])
        }
    }

    @Test("a sequence without pieces, or with empty ones only, is an empty message")
    func empty() async throws {
        let handler = WebSocketHandler { socket in
            try await socket.send(pieces: Self.sequence([[UInt8]]()))
            try await socket.send(pieces: Self.sequence(["", ""]))
        }
        try await TestServer(handler).run { port in
            let client = try TestClient(port)
            #expect(try client.event() == .message(.binary([])))
            #expect(try client.event() == .message(.text("")))
        }
    }

    @Test("compressed, the first piece decides", arguments: [true, false])
    func compressed(isLongFirst: Bool) async throws {
        let long = [UInt8](repeating: 7, count: 1_000)
        let pieces = isLongFirst ? [long, [1], long] : [[1], long, long]
        let handler = WebSocketHandler { socket in
            try await socket.send(pieces: Self.sequence(pieces))
        }
        try await TestServer(handler).run { port in
            let client = try TestClient(port, offering: [ExtensionOffer("permessage-deflate")])
            try client.compress(CompressionSettings())
            let sum = Mutex(0)
            client.observe { header in sum.withLock { $0 += header.payloadByteCount } }
            #expect(try client.event() == .message(.binary(pieces.flatMap(\.self))))
            #expect((sum.withLock { $0 } < 200) == isLongFirst)
        }
    }

    @Test("an error of the sequence closes with 1011 and is thrown on")
    func error() async throws {
        let thrown = Signal<Bool>()
        let handler = WebSocketHandler { socket in
            do {
                try await socket.send(pieces: Self.sequence([[1]], thenThrows: true))
            } catch {
                thrown.send(error is Mistake)
            }
        }
        try await TestServer(handler).run { port in
            let client = try TestClient(port)
            #expect(try client.event() == .close(Self.broken))
        }
        #expect(await thrown.next() == true)
    }

    @Test("before the first piece it leaves the connection as it is")
    func errorAtOnce() async throws {
        let handler = WebSocketHandler { socket in
            await #expect(throws: Mistake.self) {
                try await socket.send(pieces: Self.sequence([[UInt8]](), thenThrows: true))
            }
            await #expect(throws: ConnectionError.notSendable(.invalidUTF8)) {
                try await socket.send(pieces: Self.sequence([[0xFF]]), as: .text)
            }
            try await socket.send("still here")
        }
        try await TestServer(handler).run { port in
            let client = try TestClient(port)
            #expect(try client.event() == .message(.text("still here")))
        }
    }

    @Test("text that is none closes with 1011", arguments: [[[0x61], [0xFF]], [[0x61], [0xC3]]])
    func noText(_ pieces: [[UInt8]]) async throws {
        let thrown = Signal<ConnectionError?>()
        let handler = WebSocketHandler { socket in
            do {
                try await socket.send(pieces: Self.sequence(pieces), as: .text)
            } catch {
                thrown.send(error as? ConnectionError)
            }
        }
        try await TestServer(handler).run { port in
            let client = try TestClient(port)
            #expect(try client.event() == .close(Self.broken))
        }
        #expect(await thrown.next() == .notSendable(.invalidUTF8))
    }

    @Test("a sequence that ends because its task was cancelled is no whole message")
    func cancelled() async throws {
        let thrown = Signal<ConnectionError?>()
        let handler = WebSocketHandler { socket in
            let (pieces, continuation) = AsyncStream.makeStream(of: [UInt8].self)
            continuation.yield([1])
            let task = Task { try await socket.send(pieces: pieces) }
            _ = try await socket.receive()
            task.cancel()
            do {
                try await task.value
            } catch {
                thrown.send(error as? ConnectionError)
            }
        }
        try await TestServer(handler).run { port in
            let client = try TestClient(port)
            client.input += try client.readSome()
            try client.send("stop")
            #expect(try client.event() == .close(Self.broken))
        }
        #expect(await thrown.next() == .cancelled)
    }
}
