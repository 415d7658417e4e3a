import EventLoop
import Testing
import WebSocketHost
import WebSocketProtocol

@Suite("Starting and stopping")
struct StoppingTests {
    private func makeServer(threads: Int = 1) throws -> Server {
        var configuration = Configuration()
        configuration.host = "127.0.0.1"
        configuration.port = 0
        configuration.threadCount = threads
        return try Server(configuration, routes: Routes(), log: Log(level: .critical))
    }

    @Test(
        "a handshake that is answered while the server stops gets its Close, and time to answer it")
    func handshakeWhileStopping() async throws {
        let (entered, release) = (Signal<Void>(), Signal<Void>())
        let answer = Signal<Close?>()
        let handler = WebSocketHandler(
            doExtraHandshake: { _ in
                entered.send(())
                _ = await release.next()
            },
            transferData: { socket in answer.send(try await socket.close()) })
        let server = try TestServer(handler)
        let port = server.port
        let conversation = Task {
            try await onThread {
                let client = try TestClient(port)
                let close = try client.closeReceived()
                #expect(close == Close(.goingAway))
                try client.sendClose(Close(.goingAway))
                #expect(try client.endsCleanly())
            }
        }
        _ = await entered.next()
        server.server.stop()
        // The loop does its part of that before this.
        await withUnsafeContinuation { continuation in
            server.server.loops[0].submit { continuation.resume() }
        }
        release.send(())
        try await conversation.value
        server.server.waitUntilStopped()
        #expect(await answer.next() == Close(.goingAway))
    }

    @Test("a server is started once, and not after stop()")
    func startsOnce() throws {
        let server = try makeServer()
        try server.start()
        #expect(throws: ListenError.self) { try server.start() }
        server.stop()
        server.stop()
        server.waitUntilStopped()
        #expect(throws: ListenError.self) { try server.start() }
        let unused = try makeServer()
        unused.stop()
        #expect(throws: ListenError.self) { try unused.start() }
        unused.waitUntilStopped()
    }

    @Test("start() may be tried again when the port was taken")
    func startsAgain() throws {
        let first = try makeServer()
        var configuration = Configuration()
        configuration.host = "127.0.0.1"
        configuration.port = try first.start()[0].port
        let second = try Server(configuration, routes: Routes(), log: Log(level: .critical))
        #expect(throws: ListenError.self) { try second.start() }
        first.stop()
        first.waitUntilStopped()
        try second.start()
        second.stop()
        second.waitUntilStopped()
    }

    @Test("a stopped server leaves no memory behind", .timeLimit(.minutes(5)))
    func released() async throws {
        weak var released: Server?
        do {
            let server = try makeServer(threads: 2)
            released = server
            server.onSignals([]) { [server] _ in server.stop() }
            try server.start()
            server.stop()
            server.waitUntilStopped()
            server.forceStop()
        }
        // A thread that does what came after the end may hold it for a moment.
        while released != nil { await Task.yield() }
    }
}
