import Glibc
import Testing
import WebSocketHost
import WebSocketProtocol

/// Waits that the handler's own code cancels, whatever task they are in.
@Suite("Waits inside task groups and other tasks")
struct WaitTests {
    /// How a handler waits for at most as long as it wants.
    enum Shape: String, CaseIterable {
        case group, throwingGroup, asyncLet, unstructured, detached
    }

    private struct TimedOut: Error {}

    /// A wait that nothing but its own cancellation ends.
    private static func cancelledWait(_ shape: Shape, _ socket: WebSocket) async -> ConnectionError?
    {
        switch shape {
        case .group:
            return await withTaskGroup(of: Optional<ConnectionError>.self) { group in
                group.addTask {
                    await failure { () async throws(ConnectionError) in
                        _ = try await socket.receive()
                    }
                }
                group.addTask {
                    try? await socket.sleep(for: .milliseconds(5))
                    return nil
                }
                _ = await group.next()
                group.cancelAll()
                return await group.next() ?? nil
            }
        case .throwingGroup:
            let heard = Signal<ConnectionError?>()
            do {
                try await withThrowingTaskGroup(of: Void.self) { group in
                    group.addTask {
                        let error = await failure { () async throws(ConnectionError) in
                            _ = try await socket.receive()
                        }
                        heard.send(error)
                    }
                    group.addTask {
                        try await Task.sleep(for: .milliseconds(5))
                        throw TimedOut()
                    }
                    while try await group.next() != nil {}
                }
                Issue.record("the group did not throw")
            } catch {}
            return await heard.next() ?? nil
        case .asyncLet:
            let heard = Signal<ConnectionError?>()
            do {
                async let _: Void = {
                    let error = await failure { () async throws(ConnectionError) in
                        _ = try await socket.receive()
                    }
                    heard.send(error)
                }()
                try? await socket.sleep(for: .milliseconds(5))
                // Going out of scope cancels it.
            }
            return await heard.next() ?? nil
        case .unstructured, .detached:
            let body: @Sendable () async -> ConnectionError? = {
                await failure { () async throws(ConnectionError) in _ = try await socket.receive() }
            }
            let task = shape == .detached ? Task.detached { await body() } : Task { await body() }
            try? await socket.sleep(for: .milliseconds(5))
            task.cancel()
            return await task.value
        }
    }

    @Test("a cancelled wait ends, and the next one is as before", arguments: Shape.allCases)
    func cancelled(_ shape: Shape) async throws {
        let handler = WebSocketHandler { socket in
            for _ in 0..<20 {
                #expect(await Self.cancelledWait(shape, socket) == .cancelled)
            }
            // In the handler's own task, ready and waited for.
            try await socket.send("go")
            while let message = try await socket.receive() { try await socket.send(message) }
        }
        try await TestServer(handler).run { port in
            let client = try TestClient(port)
            #expect(try client.text() == "go")
            for text in ["a", "b"] {
                try client.send(text)
                #expect(try client.text() == text)
            }
        }
    }

    @Test("a wait of the handler's own task does not end with the children of its group")
    func bodyOfAGroup() async throws {
        let handler = WebSocketHandler { socket in
            let message = try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await Task.sleep(for: .seconds(3_600)) }
                group.cancelAll()
                try await socket.send("waits")
                return try await socket.receive()
            }
            if let message { try await socket.send(message) }
        }
        try await TestServer(handler).run { port in
            let client = try TestClient(port)
            #expect(try client.text() == "waits")
            try client.send("a")
            #expect(try client.text() == "a")
        }
    }

    @Test("a handler that cancels itself waits no more; what is there it gets all the same")
    func cancelsItself() async throws {
        let heard = Signal<[ConnectionError?]>()
        let handler = WebSocketHandler { socket in
            _ = try await socket.receive()
            withUnsafeCurrentTask { $0?.cancel() }
            let first = try? await socket.receive()
            #expect(first == .text("a"))
            var errors: [ConnectionError?] = []
            for _ in 0..<3 {
                errors.append(
                    await failure { () async throws(ConnectionError) in
                        _ = try await socket.receive()
                    })
            }
            heard.send(errors)
        }
        try await TestServer(handler).run { port in
            let client = try TestClient(port)
            // "x" and "a", in one piece.
            try client.write([0x81, 0x81, 0, 0, 0, 0, 0x78, 0x81, 0x81, 0, 0, 0, 0, 0x61])
            #expect(try client.closeReceived() == Close(.normalClosure))
        }
        #expect(await heard.next() == [.cancelled, .cancelled, .cancelled])
    }

    @Test("two tasks that receive: the second is told, the first goes on")
    func inProgress() async throws {
        let handler = WebSocketHandler { socket in
            // A child of the handler's task runs where that does, so it waits once this one sleeps.
            let message = try await withThrowingTaskGroup(of: Optional<Message>.self) { group in
                group.addTask { try await socket.receive() }
                try await socket.sleep(for: .milliseconds(5))
                let second = await failure { () async throws(ConnectionError) in
                    _ = try await socket.receive()
                }
                #expect(second == .receiveInProgress)
                try await socket.send("go")
                return try await group.next() ?? nil
            }
            if let message { try await socket.send(message) }
        }
        try await TestServer(handler).run { port in
            let client = try TestClient(port)
            #expect(try client.text() == "go")
            try client.send("a")
            #expect(try client.text() == "a")
        }
    }

    private actor Receiver {
        func next(_ socket: WebSocket) async throws -> Message? {
            for try await message in socket { return message }
            return nil
        }
    }

    @Test("an actor iterates, in the handler's task and in a cancelled child of it")
    func inAnActor() async throws {
        let handler = WebSocketHandler { socket in
            let receiver = Receiver()
            let child = Task {
                await failure { () async throws(ConnectionError) in
                    do { _ = try await receiver.next(socket) } catch let error as ConnectionError {
                        throw error
                    } catch {}
                }
            }
            try await socket.sleep(for: .milliseconds(5))
            child.cancel()
            #expect(await child.value == .cancelled)
            try await socket.send("go")
            if let message = try await receiver.next(socket) { try await socket.send(message) }
        }
        try await TestServer(handler).run { port in
            let client = try TestClient(port)
            #expect(try client.text() == "go")
            try client.send("a")
            #expect(try client.text() == "a")
        }
    }

    @Test("the server is stopped by force: a wait of the handler's own task ends")
    func dropped() async throws {
        let heard = Signal<ConnectionError?>()
        let handler = WebSocketHandler { socket in
            try await socket.send("waits")
            heard.send(
                await failure { () async throws(ConnectionError) in _ = try await socket.receive() }
            )
        }
        try await TestServer(handler).run { port in
            let client = try TestClient(port)
            #expect(try client.text() == "waits")
        }
        #expect(await heard.next() == .lost)
    }
}

@Suite("Long messages")
struct LongMessageTests {
    @Test(
        "among short ones, in their order, to a client that reads late",
        arguments: [32_767, 32_768, 100_000, 8 << 20])
    func order(_ byteCount: Int) async throws {
        let handler = WebSocketHandler { socket in
            for number in 0..<4 {
                try await socket.send("\(number)")
                try await socket.send([UInt8](repeating: UInt8(number), count: byteCount))
                try await socket.send([UInt8](repeating: UInt8(100 + number), count: byteCount))
                try await socket.send(String(repeating: "\(number)", count: byteCount))
            }
        }
        try await TestServer(handler).run { port in
            let client = try TestClient(port)
            for number in 0..<4 {
                #expect(try client.text() == "\(number)")
                let messages = try [client.message(), client.message()]
                #expect(messages[0] == .binary([UInt8](repeating: UInt8(number), count: byteCount)))
                #expect(
                    messages[1]
                        == .binary([UInt8](repeating: UInt8(100 + number), count: byteCount)))
                #expect(try client.text() == String(repeating: "\(number)", count: byteCount))
            }
            #expect(try client.closeReceived() == Close(.normalClosure))
        }
    }

    @Test("in pieces, with a Ping's answer between them")
    func pieces() async throws {
        let handler = WebSocketHandler { socket in
            for number in 0..<3 {
                try await socket.send(
                    [UInt8](repeating: UInt8(number), count: 50_000), end: number == 2)
            }
            _ = try await socket.receive()
        }
        try await TestServer(handler).run { port in
            let client = try TestClient(port)
            try client.ping([1])
            let all = (0..<3).flatMap { [UInt8](repeating: UInt8($0), count: 50_000) }
            #expect(try client.message() == .binary(all))
        }
    }

    @Test("the last message, behind the client's Close, arrives before the answer")
    func behindClose() async throws {
        let handler = WebSocketHandler { socket in
            while try await socket.receive() != nil {
                try await socket.send([UInt8](repeating: 1, count: 6 << 20))
            }
        }
        try await TestServer(handler).run { port in
            let client = try TestClient(port)
            try client.send("a")
            try client.sendClose(Close(3000))
            #expect(try client.message() == .binary([UInt8](repeating: 1, count: 6 << 20)))
            #expect(try client.closeReceived() == Close(3000))
            #expect(try client.endsCleanly())
        }
    }
}

@Suite("RFC 6455 §5.5.2 A Pong that crosses the closing handshake")
struct CrossingTests {
    /// "Upon receipt of a Ping frame, an endpoint MUST send a Pong frame in response, unless it
    /// already received a Close frame": one that has sent its Close answers too.
    @Test(
        "a client that has sent its Close answers a Ping, and still gets all that was sent to it",
        arguments: [10, 300_000, 1 << 20, 3 << 20])
    func pongBehindClose(_ byteCount: Int) async throws {
        let handler = WebSocketHandler { socket in
            guard try await socket.receive() != nil else { return }
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await socket.ping([1]) }
                try await socket.sleep(for: .milliseconds(20))
                try await socket.send([UInt8](repeating: 1, count: byteCount))
                _ = try await socket.receive()
                group.cancelAll()
            }
        }
        try await TestServer(handler).run { port in
            let client = try TestClient(port)
            try client.send("a")
            try client.sendClose(Close(3000))
            guard case .ping(let payload) = try client.event() else { throw TestClientError.ended }
            // Its Close has been answered meanwhile, but it has not read that far.
            try onlyAfter(milliseconds: 200) { try client.write(maskedPong(payload)) }
            onlyAfter(milliseconds: 50) {}
            #expect(try client.message() == .binary([UInt8](repeating: 1, count: byteCount)))
            #expect(try client.closeReceived() == Close(3000))
            #expect(try client.endsCleanly())
        }
    }
}

private func maskedPong(_ payload: [UInt8]) -> [UInt8] {
    [0x8A, 0x80 | UInt8(payload.count), 0, 0, 0, 0] + payload
}

private func onlyAfter(milliseconds: UInt32, _ body: () throws -> Void) rethrows {
    usleep(milliseconds * 1_000)
    try body()
}
