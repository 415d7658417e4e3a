import Testing
import WebSocketHost
import WebSocketProtocol

/// How a handler's loop ended.
private enum Ending: Sendable, Equatable {
    case returned
    case threw(ConnectionError)
    case cancelled
}

private func recorder(_ signal: Signal<Ending>) -> WebSocketHandler {
    WebSocketHandler { socket in
        do throws(ConnectionError) {
            while try await socket.receive() != nil {}
            signal.send(.returned)
        } catch {
            signal.send(.threw(error))
        }
    }
}

@Suite("RFC 6455 §7 Closing the connection")
struct ClosingTests {
    static let codes: [Close] = [
        Close(), Close(.normalClosure), Close(3000, reason: "bye"), Close(4999, reason: "é"),
    ]

    @Test(
        "the client's Close is echoed, the handler's loop ends, TCP ends in order", arguments: codes
    )
    func passive(_ close: WebSocketProtocol.Close) async throws {
        let ended = Signal<Ending>()
        let server = try TestServer(recorder(ended))
        try await server.run { port in
            let client = try TestClient(port)
            try client.sendClose(close)
            #expect(try client.closeReceived() == close)
            #expect(try client.endsCleanly())
        }
        #expect(await ended.next() == .returned)
    }

    @Test("passiveClosingHandshake chooses the answer")
    func passiveHook() async throws {
        let handler = WebSocketHandler(
            transferData: { socket in while try await socket.receive() != nil {} },
            passiveClosingHandshake: { close in Close(4000, reason: "was \(close)") })
        try await TestServer(handler).run { port in
            let client = try TestClient(port)
            try client.sendClose(Close(3001))
            #expect(try client.closeReceived() == Close(4000, reason: "was 3001"))
        }
    }

    @Test("a Close whose answer is not waited for; the answer still comes in order")
    func withoutWaiting() async throws {
        let (returned, ended) = (Signal<Close?>(), Signal<Close?>())
        let handler = WebSocketHandler { socket in
            returned.send(try await socket.close(4000, reason: "go", waitsForAnswer: false))
            #expect(try await socket.receive() == nil)
            await #expect(throws: ConnectionError.self) { try await socket.send("more") }
            await #expect(throws: Never.self) { try await socket.close(4001) }
            ended.send(await socket.receivedClose)
        }
        let server = try TestServer(handler)
        try await server.run { port in
            let client = try TestClient(port)
            #expect(try client.closeReceived() == Close(4000, reason: "go"))
            try client.sendClose(Close(4002))
            #expect(try client.endsCleanly())
        }
        #expect(await returned.next() == .some(nil))
        #expect(await ended.next() == Close(4002))
    }

    @Test("a code that must not be sent is refused, waiting or not", arguments: [true, false])
    func unsendable(waitsForAnswer: Bool) async throws {
        let handler = WebSocketHandler { socket in
            await #expect(throws: ConnectionError.notSendable(.closeCodeNotSendable(1005))) {
                try await socket.close(1005, waitsForAnswer: waitsForAnswer)
            }
        }
        try await TestServer(handler).run { port in
            let client = try TestClient(port)
            #expect(try client.closeReceived() == Close(.normalClosure))
        }
    }

    @Test("messages before the Close are still answered")
    func answersBeforeClose() async throws {
        let echo = WebSocketHandler { socket in
            for try await message in socket { try await socket.send(message) }
        }
        try await TestServer(echo).run { port in
            let client = try TestClient(port)
            try client.send("a")
            try client.send("b")
            try client.sendClose()
            #expect(try client.event() == .message(.text("a")))
            #expect(try client.event() == .message(.text("b")))
            #expect(try client.event() == .close(Close(.normalClosure)))
        }
    }

    @Test("close() sends code and reason and gives the client's answer")
    func active() async throws {
        let answered = Signal<Close?>()
        let handler = WebSocketHandler { socket in
            answered.send(try await socket.close(4001, reason: "enough"))
            await #expect(throws: ConnectionError.self) { try await socket.send("too late") }
            #expect(try await socket.receive() == nil)
        }
        try await TestServer(handler).run { port in
            let client = try TestClient(port)
            #expect(try client.closeReceived() == Close(4001, reason: "enough"))
            try client.sendClose(Close(4001))
            #expect(try client.endsCleanly())
        }
        #expect(await answered.next() == Close(4001))
    }

    @Test("close() without an answer gives up after the close time-out")
    func noAnswer() async throws {
        var configuration = Configuration()
        configuration.connection.closeTimeout = .milliseconds(50)
        let answered = Signal<Close?>()
        let handler = WebSocketHandler { socket in answered.send(try await socket.close()) }
        try await TestServer(configuration, handler).run { port in
            let client = try TestClient(port)
            #expect(try client.closeReceived() == Close(.normalClosure))
            #expect(try client.endsCleanly())
        }
        #expect(await answered.next() == .some(nil))
    }

    static let badCloses: [(String, CloseCode?, String)] = [
        ("reserved", 1005, ""), ("reserved", 1006, ""), ("unassigned", 2000, ""),
        ("reason without code", nil, "x"),
        ("reason too long", 1000, String(repeating: "x", count: 124)),
    ]

    @Test("what must not be sent is an error, and the connection stays", arguments: badCloses)
    func notSendable(_ name: String, _ code: WebSocketProtocol.CloseCode?, _ reason: String)
        async throws
    {
        let handler = WebSocketHandler { socket in
            do throws(ConnectionError) {
                try await socket.close(code, reason: reason)
                Issue.record("\(name) was sent")
            } catch {
                if case .notSendable = error {} else { Issue.record("\(name): \(error)") }
            }
            try await socket.send("still open")
        }
        try await TestServer(handler).run { port in
            let client = try TestClient(port)
            #expect(try client.text() == "still open")
        }
    }

    @Test("a handler that throws closes with 1011")
    func throwing() async throws {
        struct Failure: Error {}
        try await TestServer(WebSocketHandler { _ in throw Failure() }).run { port in
            let client = try TestClient(port)
            #expect(try client.closeReceived() == Close(.internalError))
        }
    }

    @Test("abort() drops TCP without a Close")
    func abort() async throws {
        try await TestServer(WebSocketHandler { socket in await socket.abort() }).run { port in
            let client = try TestClient(port)
            #expect(throws: (any Error).self) { try client.event() }
        }
    }

    @Test(
        "the client vanishes: the handler's loop throws and its task ends",
        arguments: [false, true])
    func lost(_ insideFrame: Bool) async throws {
        let ended = Signal<Ending>()
        let server = try TestServer(recorder(ended))
        try await server.run { port in
            let client = try TestClient(port)
            if insideFrame { try client.write([0x81, 0xFE, 0x10]) }
            client.reset()
        }
        #expect(await ended.next() == .threw(.lost))
    }

    @Test("a handler that sleeps on is cancelled after the close time-out")
    func cancelledTask() async throws {
        var configuration = Configuration()
        configuration.connection.closeTimeout = .milliseconds(50)
        let ended = Signal<Ending>()
        let handler = WebSocketHandler { socket in
            do {
                try await socket.send("asleep")
                try await Task.sleep(for: .seconds(3_600))
            } catch is CancellationError {
                ended.send(.cancelled)
            }
        }
        let server = try TestServer(configuration, handler)
        let port = server.port
        try await onThread {
            let client = try TestClient(port)
            #expect(try client.text() == "asleep")
            client.reset()
        }
        #expect(await ended.next() == .cancelled)
        server.server.forceStop()
        server.server.waitUntilStopped()
    }

    @Test("a client that answers no Ping is dropped, one that does is not")
    func pingTimeout() async throws {
        var configuration = Configuration()
        configuration.connection.pingInterval = .milliseconds(20)
        // Long enough for the answers of a client on a busy machine.
        configuration.connection.pingTimeout = .seconds(2)
        let ended = Signal<Ending>()
        let server = try TestServer(configuration, recorder(ended))
        try await server.run { port in
            let client = try TestClient(port)
            for _ in 0..<3 {
                guard case .ping(let payload) = try client.event() else {
                    throw TestClientError.ended
                }
                try client.pong(payload)
            }
            guard case .ping = try client.event() else { throw TestClientError.ended }
            #expect(throws: (any Error).self) { while true { _ = try client.event() } }
        }
        #expect(await ended.next() == .threw(.pingTimedOut))
    }

    @Test("stop() closes with 1001 and the server ends when the clients have answered")
    func drain() async throws {
        let ended = Signal<Ending>()
        let server = try TestServer(recorder(ended))
        let port = server.port
        try await onThread {
            let client = try TestClient(port)
            server.server.stop()
            #expect(try client.closeReceived() == Close(.goingAway))
            #expect(throws: (any Error).self) { _ = try TestClient(port) }
            try client.sendClose(Close(.goingAway))
            server.server.waitUntilStopped()
        }
        #expect(await ended.next() == .returned)
    }

    @Test("after the drain time-out connections are dropped")
    func drainTimeout() async throws {
        var configuration = Configuration()
        configuration.drainTimeout = .milliseconds(50)
        let server = try TestServer(configuration, recorder(Signal()))
        let port = server.port
        try await onThread {
            let client = try TestClient(port)
            server.server.stop()
            server.server.waitUntilStopped()
            #expect(try client.closeReceived() == Close(.goingAway))
        }
    }
}

@Suite("RFC 6455 §7.1.7 Failing the connection")
struct FailingTests {
    static let faults: [(name: String, bytes: [UInt8], code: CloseCode)] = [
        ("unmasked", [0x81, 0x01, 0x41], .protocolError),
        ("reserved bit", [0xC1, 0x80, 0, 0, 0, 0], .protocolError),
        ("reserved opcode", [0x83, 0x80, 0, 0, 0, 0], .protocolError),
        ("fragmented Ping", [0x09, 0x80, 0, 0, 0, 0], .protocolError),
        ("Ping of 126 bytes", [0x89, 0xFE, 0, 126], .protocolError),
        ("length not minimal", [0x81, 0xFE, 0, 5, 0, 0, 0, 0], .protocolError),
        ("length 2^63", [0x82, 0xFF, 0x80, 0, 0, 0, 0, 0, 0, 0], .protocolError),
        ("continuation of nothing", [0x80, 0x80, 0, 0, 0, 0], .protocolError),
        ("Close of one byte", [0x88, 0x81, 0, 0, 0, 0, 3], .protocolError),
        ("Close 1005", [0x88, 0x82, 0, 0, 0, 0, 0x03, 0xED], .protocolError),
        ("text that is not UTF-8", [0x81, 0x81, 0, 0, 0, 0, 0xFF], .invalidFramePayloadData),
        ("first bad byte", [0x81, 0x85, 0, 0, 0, 0, 0x61, 0xC0], .invalidFramePayloadData),
        (
            "announced over the limit", [0x82, 0xFF, 0, 0, 0, 0, 0, 0x20, 0, 0, 0, 0, 0, 0],
            .messageTooBig
        ),
    ]

    @Test("each fault gets its code, and TCP ends in order", arguments: faults)
    func fault(_ name: String, _ bytes: [UInt8], _ code: WebSocketProtocol.CloseCode) async throws {
        let ended = Signal<Ending>()
        let server = try TestServer(recorder(ended))
        try await server.run { port in
            let client = try TestClient(port)
            try client.write(bytes)
            #expect(try client.closeReceived().code == code, "\(name)")
            #expect(try client.endsCleanly(), "\(name)")
        }
        let ending = await ended.next()
        if case .threw(.failed(let error)) = ending {
            #expect(error.closeCode == code)
        } else {
            Issue.record("\(name): the handler heard \(String(describing: ending))")
        }
    }

    @Test("a handler's own message limit goes before the server's")
    func routeLimit() async throws {
        let handler = WebSocketHandler(
            maxMessageSize: 10,
            transferData: { socket in while try await socket.receive() != nil {} })
        try await TestServer(handler).run { port in
            let client = try TestClient(port)
            try client.send("0123456789")
            try client.send("0123456789a")
            #expect(try client.closeReceived().code == .messageTooBig)
        }
    }
}
