import Synchronization
import Testing
import WebSocketHostTesting

@Suite("Sequences as messages, to clients that do not read")
struct PieceSequenceTests {
    /// Counts what a handler did, for the test to look at.
    private final class Count: Sendable {
        private let stored = Mutex(0)
        var value: Int { stored.withLock { $0 } }
        func add(_ number: Int) { stored.withLock { $0 += number } }
    }

    /// Pieces of 64 KiB without end, each counted when it is asked for.
    private struct Endless: AsyncSequence, AsyncIteratorProtocol {
        let count: Count
        func makeAsyncIterator() -> Self { self }
        mutating func next() async -> [UInt8]? {
            count.add(1)
            return [UInt8](repeating: 0, count: 65_536)
        }
    }

    @Test("a client that does not read stops the sequence, and goes on when it reads")
    func sendingWaits() async throws {
        let count = Count()
        let handler = WebSocketHandler { socket in
            _ = try await socket.receive()
            try await socket.send(pieces: Endless(count: count).prefix(100))
        }
        let host = try TestHost(handler)
        let client = try await host.connect()
        try await client.pauseReading()
        try await client.send("go on")
        // With its header it is over the queue's mark.
        #expect(count.value == 1)
        try await client.resumeReading()
        #expect(try await client.receive() == .binary([UInt8](repeating: 0, count: 100 << 16)))
        #expect(count.value == 100)
        #expect(try await client.receiveClose() == Close(.normalClosure))
        #expect(host.openConnectionCount == 0)
    }
}
