import Synchronization
import Testing
import WebSocketHost
import WebSocketProtocol

@Suite("Messages sent piece by piece (RFC 6455 §5.4)")
struct PiecesTests {
    @Test("what another task sends waits for the last piece; control frames do not")
    func turn() async throws {
        let handler = WebSocketHandler { socket in
            try await socket.send("a", end: false)
            let other = Task { try await socket.send("other") }
            let third = Task.detached { try await socket.send([3]) }
            try await socket.pong([9])
            // The client answers the Pong, so both tasks have had every chance to go first.
            _ = try await socket.receive()
            try await socket.send("b", end: false)
            try await socket.send("c", end: true)
            try await other.value
            try await third.value
        }
        try await TestServer(handler).run { port in
            let client = try TestClient(port)
            #expect(try client.event() == .pong([9]))
            try client.send("go on")
            #expect(try client.event() == .message(.text("abc")))
            let rest = try [client.message(), client.message()]
            #expect(rest.contains(.text("other")) && rest.contains(.binary([3])))
            #expect(try client.closeReceived() == Close(.normalClosure))
        }
    }

    @Test("a task that waits for its turn can be cancelled, and the stream stays whole")
    func cancelled() async throws {
        let handler = WebSocketHandler { socket in
            try await socket.send("a", end: false)
            let other = Task { try await socket.send("never") }
            other.cancel()
            await #expect(throws: ConnectionError.cancelled) { try await other.value }
            try await socket.send("b", end: true)
        }
        try await TestServer(handler).run { port in
            let client = try TestClient(port)
            #expect(try client.event() == .message(.text("ab")))
            #expect(try client.event() == .close(Close(.normalClosure)))
        }
    }

    @Test("a message that its sender gave up is not ended by the handler after it")
    func givenUp() async throws {
        let first = Mutex<WebSocket?>(nil)
        let handler = WebSocketHandler { socket in
            guard let other = first.withLock({ $0 }) else {
                first.withLock { $0 = socket }
                try await socket.send("ready")
                for try await _ in socket {}
                return
            }
            guard let message = try await socket.receive() else { return }
            if message == .text("begin") { return try await other.send("begun", end: false) }
            try await socket.send("now")
            try await other.send("another's")
            try await socket.send("was sent")
        }
        try await TestServer(handler).run { port in
            let waiting = try TestClient(port)
            #expect(try waiting.text() == "ready")
            let beginning = try TestClient(port)
            try beginning.send("begin")
            #expect(try beginning.closeReceived() == Close(.normalClosure))
            try beginning.sendClose()
            #expect(try beginning.endsCleanly())
            let next = try TestClient(port)
            try next.send("go")
            // By the time that this comes, it has tried.
            #expect(try next.text() == "now")
            waiting.reset()
            #expect(try next.event() == .close(Close(.internalError)))
        }
    }

    @Test("the end of the connection ends the wait for a turn")
    func ended() async throws {
        let ended = Signal<ConnectionError?>()
        let handler = WebSocketHandler { socket in
            try await socket.send("a", end: false)
            let other = Task { () -> ConnectionError? in
                do throws(ConnectionError) {
                    try await socket.send("other")
                    return nil
                } catch {
                    return error
                }
            }
            _ = try? await socket.receive()
            ended.send(await other.value)
        }
        try await TestServer(handler).run { port in
            let client = try TestClient(port)
            try client.sendClose()
            _ = try? client.readToEnd()
        }
        let error = await ended.next()
        #expect(error??.isEndForTests == true)
    }

    @Test("a hundred tasks, each with messages of three pieces, never mix")
    func crowd() async throws {
        let handler = WebSocketHandler { socket in
            await withTaskGroup(of: Void.self) { group in
                for number in 0..<100 {
                    group.addTask {
                        for piece in ["<\(number)", ":\(number)", ":\(number)>"] {
                            try? await socket.send(piece, end: piece.hasSuffix(">"))
                            await Task.yield()
                        }
                    }
                }
            }
        }
        try await TestServer(handler).run { port in
            let client = try TestClient(port)
            var texts: Set<String> = []
            for _ in 0..<100 { texts.insert(try client.text()) }
            #expect(texts == Set((0..<100).map { "<\($0):\($0):\($0)>" }))
        }
    }
}

extension ConnectionError {
    fileprivate var isEndForTests: Bool {
        switch self {
        case .closed, .lost: true
        default: false
        }
    }
}

@Suite("Hooks for Pings and Pongs")
struct ControlHookTests {
    @Test("each is called with the payload, in order, also before the handler receives")
    func hooks() async throws {
        let seen = Signal<String>()
        let handler = WebSocketHandler(
            onPing: { _, payload in seen.send("ping \(payload)") },
            onPong: { _, payload in seen.send("pong \(payload)") },
            transferData: { socket in for try await _ in socket {} })
        try await TestServer(handler).run { port in
            let client = try TestClient(port)
            try client.ping([1])
            try client.pong([2])
            try client.ping([])
            #expect(try client.event() == .pong([1]))
            #expect(try client.event() == .pong([]))
            try client.sendClose()
            _ = try client.closeReceived()
        }
        for expected in ["ping [1]", "pong [2]", "ping []"] {
            #expect(await seen.next() == expected)
        }
    }

    @Test("a Ping that the handler answers itself, or not")
    func ownAnswer() async throws {
        let handler = WebSocketHandler(
            onPing: { socket, payload in
                if payload != [1] { Task { try await socket.pong(payload + [0]) } }
            }, answersPings: false,
            transferData: { socket in for try await _ in socket {} })
        try await TestServer(handler).run { port in
            let client = try TestClient(port)
            try client.ping([1])
            try client.ping([2])
            #expect(try client.event() == .pong([2, 0]))
        }
    }
}
