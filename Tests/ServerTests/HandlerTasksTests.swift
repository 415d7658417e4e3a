import EventLoop
import HTTPProtocol
import Synchronization
import Testing
import WebSocketHost
import WebSocketProtocol

@Suite("Tasks that run one handler after the other")
struct HandlerTasksTests {
    /// The running task, as a number.
    private static func currentTask() -> String {
        "\(withUnsafeCurrentTask { $0.hashValue })"
    }

    /// Sends in which task it runs, cancels itself if it is told to, and ends with the client.
    private static let handler = WebSocketHandler { socket in
        try await socket.send("\(currentTask()) \(Task.isCancelled)")
        for try await message in socket where message == .text("cancel") {
            withUnsafeCurrentTask { $0?.cancel() }
        }
    }

    /// Closes, and waits until the server has.
    private static func end(_ client: TestClient) throws {
        try client.sendClose()
        #expect(try client.closeReceived() == Close(.normalClosure))
        #expect(try client.endsCleanly())
    }

    @Test("connections one after the other share a task, those at once do not")
    func reuse() async throws {
        try await TestServer(Self.handler).run { port in
            var tasks: Set<String> = []
            for _ in 0..<5 {
                let client = try TestClient(port)
                tasks.insert(try client.text())
                try Self.end(client)
            }
            #expect(tasks.count == 1)
            let atOnce = try (0..<3).map { _ in try TestClient(port) }
            #expect(Set(try atOnce.map { try $0.text() }).count == 3)
        }
    }

    @Test("a task that was cancelled runs no other handler")
    func cancelled() async throws {
        try await TestServer(Self.handler).run { port in
            let first = try TestClient(port)
            #expect(try first.text().hasSuffix("false"))
            try first.send("cancel")
            #expect(try first.closeReceived().code == .internalError)
            try first.sendClose()
            #expect(try first.endsCleanly())
            let second = try TestClient(port)
            #expect(try second.text().hasSuffix("false"))
            try Self.end(second)
        }
    }

    @Test("more connections than tasks are kept, again and again")
    func many() async throws {
        try await TestServer(Self.handler).run { port in
            for _ in 0..<3 {
                let clients = try (0..<100).map { _ in try TestClient(port) }
                #expect(Set(try clients.map { try $0.text() }).count == 100)
                for client in clients { try Self.end(client) }
            }
        }
    }

    @Test("a task that waits keeps nothing of the connection before")
    func keepsNothing() async throws {
        final class Owned: Sendable {}
        let last = Mutex(Weak<Owned>())
        let handler = WebSocketHandler(
            doExtraHandshake: { _ in
                let owned = Owned()
                last.withLock { $0.object = owned }
                return owned
            },
            transferData: { socket, owned in
                for try await _ in socket {}
                withExtendedLifetime(owned) {}
            })
        try await TestServer(handler).run { port in
            let client = try TestClient(port)
            #expect(last.withLock { $0.object != nil })
            try Self.end(client)
            // Another turn of the loop lies between the two, in which all was let go.
            #expect(throws: TestClientError.self) { try TestClient(port, "/nowhere") }
            #expect(last.withLock { $0.object == nil })
        }
    }

    @Test("a task that ran a handshake which failed runs others")
    func rejections() async throws {
        let handler = WebSocketHandler(
            doExtraHandshake: { request in
                if request.target == "/test?reject" { throw HandshakeRejection(.forbidden) }
                if request.target == "/test?wait" { try await Task.sleep(for: .seconds(3_600)) }
            },
            transferData: { socket in
                try await socket.send("\(Task.isCancelled)")
                for try await _ in socket {}
            })
        try await TestServer(handler).run { port in
            for _ in 0..<3 {
                let client = try TestClient(port)
                #expect(try client.text() == "false")
                try Self.end(client)
                #expect(throws: TestClientError.self) { try TestClient(port, "/test?reject") }
                let leaving = try TestClient(tcp: port)
                var generator = SystemRandomNumberGenerator()
                let request = ClientRequest(
                    host: "127.0.0.1:\(port)", target: "/test?wait", using: &generator)
                try leaving.write(request.head().serialized())
                leaving.reset()
            }
            let client = try TestClient(port)
            #expect(try client.text() == "false")
        }
    }

    @Test("tasks that wait end with the server, and so does its loop")
    func endWithServer() async throws {
        let loop = Mutex(Weak<EventLoop.Loop>())
        func start() throws -> TestServer {
            let server = try TestServer(Self.handler)
            loop.withLock { $0.object = server.server.loops.first }
            return server
        }
        try await start().run { port in
            let client = try TestClient(port)
            _ = try client.text()
            try Self.end(client)
        }
        // The thread that ended the server may still be about to let go of it.
        let deadline = ContinuousClock.now + .seconds(60)
        while loop.withLock({ $0.object != nil }), ContinuousClock.now < deadline {
            try await Task.sleep(for: .milliseconds(1))
        }
        #expect(loop.withLock { $0.object == nil })
    }
}

private struct Weak<Object: AnyObject & Sendable>: Sendable {
    weak var object: Object?
}
