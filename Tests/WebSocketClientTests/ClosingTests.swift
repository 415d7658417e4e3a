import HTTPProtocol
import Testing
import WebSocketClient
import WebSocketHost
import WebSocketProtocol

@Suite("RFC 6455 §7 How a client's connection ends")
struct ClientClosingTests {
    private static func configuration(
        _ change: (inout ConnectionSettings) -> Void
    ) -> ClientConfiguration {
        var configuration = ClientConfiguration.patient
        configuration.connection.closeTimeout = .seconds(300)
        change(&configuration.connection)
        return configuration
    }

    /// Reads the client's frames as bytes until there are as many.
    private static func read(_ byteCount: Int, _ socket: WebSocket) async throws -> [UInt8] {
        var all: [UInt8] = []
        while all.count < byteCount, let bytes = try await socket.unsafeReceive() { all += bytes }
        return all
    }

    /// A Close of a client: two bytes of head, four of mask, two of code.
    private static let closeByteCount = 8

    @Test("the server closes: its Close is echoed, messages end, sending throws the reason")
    func passive() async throws {
        let answered = AsyncStream<Close?>.makeStream()
        let handler = WebSocketHandler { socket in
            answered.continuation.yield(try await socket.close(4000, reason: "enough"))
        }
        try await Pair(Self.configuration { _ in }, handler).run { client, url in
            let close = Close(4000, reason: "enough")
            let socket = try await client.connect(url)
            #expect(try await socket.receive() == nil)
            await #expect(throws: ConnectionError.closed(close)) {
                try await socket.send("too late")
            }
            #expect(try await socket.close() == close)
            var answers = answered.stream.makeAsyncIterator()
            #expect(await answers.next() == close)
        }
    }

    @Test(
        "both close at once: each takes the other's Close for the answer, and sends no second one")
    func crossed() async throws {
        let rest = AsyncStream<[UInt8]?>.makeStream()
        let handler = WebSocketHandler { socket in
            try await socket.send("ready")
            _ = try await Self.read(Self.closeByteCount, socket)
            try await socket.unsafeWrite([0x88, 0x02, 0x0F, 0xA1])
            rest.continuation.yield(try? await socket.unsafeReceive(timeout: .milliseconds(20)))
        }
        try await Pair(Self.configuration { _ in }, handler).run { client, url in
            let socket = try await client.connect(url)
            #expect(try await socket.receive() == .text("ready"))
            #expect(try await socket.close(4000) == Close(4001))
            #expect(try await socket.receive() == nil)
            var rests = rest.stream.makeAsyncIterator()
            #expect(await rests.next() == .some(nil))
        }
    }

    @Test(
        "§7.1.1: the server ends TCP first; a client waits for that at most the close time-out"
    )
    func serverEndsFirst() async throws {
        let seen = AsyncStream<String>.makeStream()
        let handler = WebSocketHandler { socket in
            try await socket.send("ready")
            _ = try await Self.read(Self.closeByteCount, socket)
            try await socket.unsafeWrite([0x88, 0x02, 0x03, 0xE8])
            do throws(ConnectionError) {
                let timeout: Duration =
                    socket.request.query.contains("never") ? .seconds(300) : .milliseconds(20)
                let bytes = try await socket.unsafeReceive(timeout: timeout)
                seen.continuation.yield(bytes == nil ? "end" : "bytes")
            } catch {
                seen.continuation.yield("\(error == .timedOut ? "open" : "\(error)")")
            }
        }
        var outcomes = seen.stream.makeAsyncIterator()
        for (query, closeTimeout, outcome) in [
            ("", Duration.seconds(300), "open"), ("?never", .milliseconds(20), "end"),
        ] {
            let configuration = Self.configuration { $0.closeTimeout = closeTimeout }
            let pair = try Pair(configuration, handler)
            try await pair.run { client, url in
                let socket = try await client.connect(url + query)
                #expect(try await socket.receive() == .text("ready"))
                #expect(try await socket.close() == Close(.normalClosure))
                #expect(await outcomes.next(isolation: nil) == outcome)
            }
        }
    }

    @Test("a server that does not answer the Close: nothing after the close time-out")
    func unanswered() async throws {
        let handler = WebSocketHandler { socket in
            try await socket.send("ready")
            while try await socket.unsafeReceive() != nil {}
        }
        let configuration = Self.configuration { $0.closeTimeout = .milliseconds(20) }
        try await Pair(configuration, handler).run { client, url in
            let socket = try await client.connect(url)
            #expect(try await socket.receive() == .text("ready"))
            #expect(try await socket.close() == nil)
            #expect(try await socket.receive() == nil)
            await #expect(throws: ConnectionError.closed(nil)) { try await socket.send("too late") }
        }
    }

    @Test(
        "§7.2.1: TCP ends without a Close, before ours or instead of an answer",
        arguments: [false, true])
    func lost(_ afterClose: Bool) async throws {
        let handler = WebSocketHandler { socket in
            try await socket.send("ready")
            if afterClose { _ = try await Self.read(Self.closeByteCount, socket) }
            await socket.abort()
        }
        try await Pair(Self.configuration { _ in }, handler).run { client, url in
            let socket = try await client.connect(url)
            #expect(try await socket.receive() == .text("ready"))
            if afterClose { #expect(try await socket.close() == nil) }
            await #expect(throws: ConnectionError.lost) { _ = try await socket.receive() }
            await #expect(throws: ConnectionError.lost) { try await socket.send("too late") }
            #expect(try await socket.close() == nil)
        }
    }

    @Test("a server that answers no Ping is given up")
    func pingTimeout() async throws {
        let handler = WebSocketHandler { socket in
            try await socket.send("ready")
            while try await socket.unsafeReceive() != nil {}
        }
        let configuration = Self.configuration {
            $0.pingInterval = .milliseconds(10)
            $0.pingTimeout = .milliseconds(10)
        }
        try await Pair(configuration, handler).run { client, url in
            let socket = try await client.connect(url)
            #expect(try await socket.receive() == .text("ready"))
            await #expect(throws: ConnectionError.pingTimedOut) { _ = try await socket.receive() }
            await #expect(throws: ConnectionError.pingTimedOut) {
                try await socket.send("too late")
            }
        }
    }

    @Test("a server that reads a long message slowly is not given up")
    func slowServer() async throws {
        let message = [UInt8](repeating: 0, count: 30_000_000)
        let close = Close(4000)
        let handler = WebSocketHandler { socket in
            var bytes: [UInt8]?
            while bytes == nil {
                // The client hears something until it sends.
                try await socket.unsafeWrite([0x81, 1, 0x2E])
                bytes = try? await socket.unsafeReceive(timeout: .milliseconds(100))
            }
            // At most 256 KiB at a time: for several times the client's time-out in all. The Pings
            // behind the message are not answered.
            var count = bytes?.count ?? 0
            while count < message.count, let bytes = try await socket.unsafeReceive() {
                count += bytes.count
                try await socket.sleep(for: .milliseconds(50))
            }
            try await socket.unsafeWrite([0x88, 2, 0x0F, 0xA0])
            _ = try await socket.unsafeReceive()
        }
        let configuration = Self.configuration {
            $0.pingInterval = .seconds(1)
            $0.pingTimeout = .seconds(1)
        }
        try await Pair(configuration, handler).run { client, url in
            let socket = try await client.connect(url)
            let began = ContinuousClock.now
            try await socket.send(.binary(message), compress: false)
            while try await socket.receive() != nil {}
            #expect(await socket.receivedClose == close)
            #expect(ContinuousClock.now - began > .seconds(4))
        }
    }
}
