import HTTPProtocol
import Testing
import WebSocketHost
import WebSocketProtocol

@Suite("Raw bytes for tests of clients")
struct RawTests {
    private static func upgrade(_ port: UInt16, _ behind: [UInt8] = []) throws -> TestClient {
        let client = try TestClient(tcp: port)
        var generator = SystemRandomNumberGenerator()
        let request = ClientRequest(host: "a", target: "/test", using: &generator)
        try client.write(try request.head().serialized() + behind)
        return client
    }

    @Test("garbage before the 101, which follows")
    func before() async throws {
        let handler = WebSocketHandler(
            doExtraHandshake: { request in
                try await request.unsafeWrite(Array("garbage\r\n".utf8))
            }, transferData: { _ in })
        var configuration = Configuration()
        configuration.connection.closeTimeout = .milliseconds(50)
        try await TestServer(configuration, handler).run { port in
            let client = try Self.upgrade(port)
            let bytes = try client.readToEnd()
            let text = String(decoding: bytes, as: UTF8.self)
            #expect(text.hasPrefix("garbage\r\nHTTP/1.1 101 "))
            #expect(bytes.suffix(4) == [0x88, 0x02, 0x03, 0xE8])
        }
    }

    @Test("a 101 and a Close of its own in one piece, then what the client sends, then TCP ends")
    func instead() async throws {
        let received = Signal<[UInt8]>()
        let handler = WebSocketHandler(
            doExtraHandshake: { request in
                try await request.unsafeWrite(
                    Array("HTTP/1.1 101 Mine\r\n\r\n".utf8) + [0x88, 0x00])
                var all: [UInt8] = []
                while let bytes = try await request.unsafeReceive() { all += bytes }
                received.send(all)
                throw HandshakeRejection.abort
            }, transferData: { _ in Issue.record("the handshake was aborted") })
        try await TestServer(handler).run { port in
            let client = try Self.upgrade(port, [1, 2, 3])
            #expect(try client.readHead().status.reasonPhrase == "Mine")
            try client.write([4, 5])
            client.halfClose()
            #expect(try client.readToEnd() == [0x88, 0x00])
        }
        #expect(await received.next() == [1, 2, 3, 4, 5])
    }

    @Test("a hook that waits for bytes gives up after its time, and the handshake goes on")
    func timeout() async throws {
        let handler = WebSocketHandler(
            doExtraHandshake: { request in
                await #expect(throws: ConnectionError.timedOut) {
                    _ = try await request.unsafeReceive(timeout: .milliseconds(5))
                }
            }, transferData: { socket in try await socket.send("open") })
        try await TestServer(handler).run { port in
            let client = try TestClient(port)
            #expect(try client.text() == "open")
        }
    }

    @Test("bytes as they come after the 101: nothing is answered, nothing is lost")
    func after() async throws {
        let received = Signal<[UInt8]>()
        let handler = WebSocketHandler { socket in
            try await socket.send("ready")
            var all: [UInt8] = []
            while all.count < 9, let bytes = try await socket.unsafeReceive() { all += bytes }
            received.send(all)
            try await socket.unsafeWrite(UnsafeFrame(opcode: 0x7, payload: [1]).bytes)
            await #expect(throws: ConnectionError.timedOut) {
                _ = try await socket.unsafeReceive(timeout: .milliseconds(5))
            }
            let message = try await socket.receive()
            #expect(message == nil)
        }
        try await TestServer(handler).run { port in
            let client = try TestClient(port)
            #expect(try client.text() == "ready")
            // A Ping without a mask, then a reserved opcode: both would be answered otherwise.
            try client.write([0x89, 0x00])
            try client.write([0x8B, 0x85, 1, 2, 3, 4, 5])
            #expect(try client.readToEnd() == [0x87, 0x01, 1])
        }
        #expect(await received.next() == [0x89, 0x00, 0x8B, 0x85, 1, 2, 3, 4, 5])
    }

    @Test("the end of the client's half is nil, and writing goes on")
    func halfClosed() async throws {
        let handler = WebSocketHandler { socket in
            while try await socket.unsafeReceive() != nil {}
            try await socket.unsafeWrite([1, 2, 3])
        }
        try await TestServer(handler).run { port in
            let client = try TestClient(port)
            try client.write([9])
            client.halfClose()
            #expect(try client.readToEnd() == [1, 2, 3])
        }
    }

    @Test("a raw close sends its frame and ends TCP without waiting")
    func close() async throws {
        let handler = WebSocketHandler { socket in
            _ = try await socket.unsafeReceive()
            try await socket.close(.goingAway)
        }
        try await TestServer(handler).run { port in
            let client = try TestClient(port)
            try client.write([9])
            #expect(try client.readToEnd() == [0x88, 0x02, 0x03, 0xE9])
        }
    }

    @Test("so many bytes as are asked for, however they come; the rest is kept")
    func exactly() async throws {
        let received = Signal<[[UInt8]?]>()
        let handler = WebSocketHandler { socket in
            var all: [[UInt8]?] = []
            try await socket.send("go")
            for count in [3, 1, -1, 2] {
                all.append(try await socket.unsafeReceive(exactly: count))
            }
            try await socket.unsafeClose(1_005, reason: "odd")
            await #expect(throws: ConnectionError.timedOut) {
                _ = try await socket.unsafeReceive(exactly: 3, timeout: .milliseconds(20))
            }
            try await socket.unsafeWrite([0x42])
            for _ in 0..<3 { all.append(try await socket.unsafeReceive(exactly: 3)) }
            received.send(all)
        }
        try await TestServer(handler).run { port in
            let client = try Self.upgrade(port)
            _ = try client.readHead()
            try client.expect([0x81, 0x02] + Array("go".utf8))
            for bytes: [UInt8] in [[1, 2], [3, 4, 5], [6], [7]] { try client.write(bytes) }
            try client.expect([0x88, 0x05, 0x03, 0xED] + Array("odd".utf8) + [0x42])
            try client.write([8, 9, 10])
            client.halfClose()
            #expect(try client.readToEnd().isEmpty)
        }
        #expect(await received.next() == [[1, 2, 3], [4], [], [5, 6], [7, 8, 9], [10], nil])
    }
}
