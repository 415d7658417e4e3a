import EventLoop
import Testing
import WebSocketHost
import WebSocketProtocol

@Suite("A server as part of a program")
struct RunningTests {
    private let echo = WebSocketHandler { socket in
        for try await message in socket { try await socket.send(message) }
    }

    private func makeServer(port: UInt16 = 0, topics: TopicBroker? = nil) throws -> Server {
        var configuration = Configuration()
        configuration.host = "127.0.0.1"
        configuration.port = port
        configuration.threadCount = 2
        return try Server(configuration, log: Log(level: .critical), topics: topics)
    }

    @Test("two servers of a program share topics, or have their own", arguments: [true, false])
    func topics(_ isShared: Bool) async throws {
        let room = WebSocketHandler { socket in
            try await socket.subscribe(to: "t")
            try await socket.send("subscribed")
            for try await message in socket { socket.publish(message, to: "t") }
        }
        let first = try makeServer()
        let second = try makeServer(topics: isShared ? first.topics : nil)
        var ports: [UInt16] = []
        for server in [first, second] {
            try server.route("/test", room)
            ports.append(try server.start()[0].port)
        }
        try await onThread { [ports] in
            let (one, other) = (try TestClient(ports[0]), try TestClient(ports[1]))
            for client in [one, other] { #expect(try client.text() == "subscribed") }
            let count = isShared ? 2 : 1
            try one.send("between clients")
            if isShared { #expect(try other.text() == "between clients") }
            #expect(second.topics.publish("from the program", to: "t").receivers == count)
            #expect(try other.text() == "from the program")
            if isShared { #expect(try one.text() == "from the program") }
            // The other server goes on when one has stopped.
            first.stop()
            #expect(try one.closeReceived() == Close(.goingAway))
            try one.sendClose(Close(.goingAway))
            first.waitUntilStopped()
            second.topics.publish("again", to: "t")
            #expect(try other.text() == "again")
        }
        second.stop()
    }

    @Test("run serves what was routed, and cancelling it closes with 1001")
    func runAndCancel() async throws {
        let server = try makeServer()
        try server.route("/test", echo)
        let started = Signal<UInt16>()
        let serving = Task { try await server.run { started.send($0[0].port) } }
        let port = try #require(await started.next())
        try await onThread {
            let client = try TestClient(port)
            try client.send("hello")
            #expect(try client.text() == "hello")
            serving.cancel()
            #expect(try client.closeReceived() == Close(.goingAway))
            try client.sendClose(Close(.goingAway))
            #expect(try client.endsCleanly())
        }
        try await serving.value
        #expect(server.openConnectionCount == 0)
    }

    @Test("run in a task that is cancelled already begins and ends")
    func cancelledBefore() async throws {
        let server = try makeServer()
        let serving = Task {
            while !Task.isCancelled { await Task.yield() }
            try await server.run()
        }
        serving.cancel()
        try await serving.value
    }

    @Test("run ends with stop() too, and another server takes the port in the same process")
    func restart() async throws {
        var port: UInt16 = 0
        for _ in 0..<3 {
            let server = try makeServer(port: port)
            try server.route("/test", echo)
            port = try server.start()[0].port
            try await onThread { [port] in
                let client = try TestClient(port)
                server.stop()
                #expect(try client.closeReceived() == Close(.goingAway))
                try client.sendClose(Close(.goingAway))
            }
            await server.stopped()
            await server.stopped()
            #expect(server.openConnectionCount == 0)
        }
    }

    @Test("what comes too late is an error, and nothing waits for what never began")
    func order() async throws {
        let server = try makeServer()
        await server.stopped()
        let port = try server.start()[0].port
        #expect { try server.route("/late", echo) } throws: { isAlreadyStarted($0) }
        await #expect { try await server.run() } throws: { isAlreadyStarted($0) }
        await #expect { try await makeServer(port: port).run() } throws: { error in
            if case .addressInUse = error as? ListenError { true } else { false }
        }
        // A blocking wait on another thread takes nothing from those that do not block.
        let blocked = Task { try await onThread { server.waitUntilStopped() } }
        server.stop()
        await server.stopped()
        try await blocked.value
        #expect { try server.route("/late", echo) } throws: { isAlreadyStarted($0) }
    }

    private func isAlreadyStarted(_ error: any Error) -> Bool {
        if case .alreadyStarted = error as? ListenError { true } else { false }
    }
}
