import Synchronization
import Testing
import WebSocketHost
import WebSocketProtocol

/// How `body` failed, if it did.
func failure(_ body: () async throws(ConnectionError) -> Void) async -> ConnectionError? {
    do throws(ConnectionError) {
        try await body()
        return nil
    } catch {
        return error
    }
}

private final class Flag: Sendable {
    private let value = Atomic<Bool>(false)

    var isSet: Bool { value.load(ordering: .relaxed) }
    func set() { value.store(true, ordering: .relaxed) }
}

@Suite("Cancelled waits")
struct CancellationTests {
    @Test("receive on another thread, in a task that is cancelled already")
    func receiveElsewhere() async throws {
        let handler = WebSocketHandler { socket in
            let waiting = Task.detached {
                withUnsafeCurrentTask { $0?.cancel() }
                return await failure { () async throws(ConnectionError) in
                    _ = try await socket.receive()
                }
            }
            #expect(await waiting.value == .cancelled)
            try await socket.send("still here")
        }
        try await TestServer(handler).run { port in
            let client = try TestClient(port)
            #expect(try client.text() == "still here")
        }
    }

    @Test("a sender that is cancelled leaves the others waiting for a client that does not read")
    func oneOfTwoSenders() async throws {
        let hasChecked = Gate()
        let byteCount = 1 << 25
        let handler = WebSocketHandler { socket in
            let hasReturned = Flag()
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask {
                    try await socket.send([UInt8](repeating: 0, count: byteCount))
                    hasReturned.set()
                }
                while await socket.queuedByteCount == 0 { await Task.yield() }
                let other = Task { [socket] in
                    await failure { () async throws(ConnectionError) in
                        try await socket.send("behind it")
                    }
                }
                await Task.yield()
                other.cancel()
                #expect(await other.value == .cancelled)
                // Whoever was resumed with it would run now.
                for _ in 0..<10 { await Task.yield() }
                #expect(!hasReturned.isSet)
                hasChecked.block()
                try await group.waitForAll()
            }
            #expect(hasReturned.isSet)
        }
        var configuration = Configuration()
        configuration.connection.pingInterval = .zero
        configuration.connection.sendQueueByteLimit = 2 * byteCount
        try await TestServer(configuration, handler).run { port in
            let client = try TestClient(port)
            hasChecked.waitUntilBlocked()
            hasChecked.open()
            #expect(try client.message() == .binary([UInt8](repeating: 0, count: byteCount)))
            #expect(try client.text() == "behind it")
        }
    }

    @Test(
        "send on another thread, in a cancelled task, to a client that does not read"
    )
    func sendElsewhere() async throws {
        let hasSent = Gate()
        let outcome = Signal<ConnectionError?>()
        let handler = WebSocketHandler { socket in
            let sending = Task.detached {
                withUnsafeCurrentTask { $0?.cancel() }
                return await failure { () async throws(ConnectionError) in
                    try await socket.send([UInt8](repeating: 0, count: 1 << 25))
                }
            }
            outcome.send(await sending.value)
            hasSent.block()
            await socket.abort()
        }
        try await TestServer(handler).run { port in
            let client = try TestClient(port)
            hasSent.waitUntilBlocked()
            hasSent.open()
            #expect(throws: (any Error).self) { while try client.event() != .close(Close()) {} }
        }
        #expect(await outcome.next() == .cancelled)
    }

    @Test("a Ping that is never answered")
    func ping() async throws {
        let handler = WebSocketHandler { socket in
            let waiting = Task {
                await failure { () async throws(ConnectionError) in try await socket.ping() }
            }
            try await socket.send("sent")
            waiting.cancel()
            #expect(await waiting.value == .cancelled)
            try await socket.send("still here")
        }
        try await TestServer(handler).run { port in
            let client = try TestClient(port)
            #expect(try client.text() == "sent")
            #expect(try client.text() == "still here")
        }
    }

    @Test("a cancellation that a message overtakes does not end the next wait")
    func overtaken() async throws {
        let gate = Gate()
        let go = Signal<Void>()
        let handler = WebSocketHandler { socket in
            let first = await withTaskGroup(of: Optional<Message>.self) { group in
                group.addTask { (try? await socket.receive()) ?? nil }
                _ = await go.next()
                gate.block()
                group.cancelAll()
                return await group.next() ?? nil
            }
            let second = try await socket.receive()
            #expect(first == .text("a") && second == .text("b"))
        }
        try await TestServer(handler).run { port in
            let client = try TestClient(port)
            go.send(())
            gate.waitUntilBlocked()
            try client.send("a")
            gate.open()
            try client.send("b")
            #expect(try client.closeReceived() == Close(.normalClosure))
        }
    }
}
