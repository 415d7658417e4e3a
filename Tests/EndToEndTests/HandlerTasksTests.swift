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

    /// Says in which task it runs, cancels itself if it is told to, and ends with the client.
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
            #expect(try first.closeReceived().code != nil)
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

    @Test("tasks that wait end with the server")
    func endWithServer() async throws {
        final class Owned: Sendable {}
        let owned = Mutex(Weak<Owned>())
        func start() throws -> TestServer {
            let object = Owned()
            owned.withLock { $0.object = object }
            return try TestServer(WebSocketHandler { socket in
                withExtendedLifetime(object) {}
                for try await _ in socket {}
            })
        }
        try await start().run { port in
            let client = try TestClient(port)
            try Self.end(client)
        }
        #expect(owned.withLock { $0.object == nil })
    }
}

private struct Weak<Object: AnyObject & Sendable>: Sendable {
    weak var object: Object?
}
