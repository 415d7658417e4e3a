import EventLoop
import Glibc
import HTTPProtocol
import Synchronization
import Testing
import WebSocketClient
import WebSocketHost
import WebSocketProtocol

@Suite("A client that handlers use")
struct HandlerLoopTests {
    private static let echo = WebSocketHandler { socket in
        for try await message in socket { try await socket.send(message) }
    }

    @Test("what a handler opens is served by the handler's thread; what others open, by one more")
    func threads() async throws {
        try await Pair(Self.echo).run { client, url in
            let asking = WebSocketHandler { socket in
                let server = try await client.connect(url)
                let before = pthread_self()
                try await server.send("hello")
                let answer = try await server.receive()
                // Both ran on without a switch of threads, and so does the connection itself.
                let isSame = before == pthread_self() && server.isOnCurrentLoop
                try await socket.send("\(isSame), \(answer == .text("hello"))")
                try await server.close()
            }
            try await Pair(asking).run { other, url in
                let socket = try await other.connect(url)
                #expect(try await socket.receive() == .text("true, true"))
            }
            let own = try await client.connect(url)
            #expect(!own.isOnCurrentLoop)
            try await own.close()
        }
    }

    @Test("an owned connection is closed when nobody refers to it")
    func owned() async throws {
        let closes = AsyncStream<Close?>.makeStream()
        let noting = WebSocketHandler { socket in
            while try await socket.receive() != nil {}
            closes.continuation.yield(await socket.receivedClose)
        }
        try await Pair(noting).run { client, url in
            // A handshake hook opens it, and then the handshake is refused.
            let refusing = WebSocketHandler(
                doExtraHandshake: { request in
                    let server = OwnedConnection(try await client.connect(url))
                    if request.query.contains("refuse") { throw HandshakeRejection(.forbidden) }
                    return server
                },
                transferData: { socket, server in
                    try await server.socket.send("hello")
                    throw CancellationError()
                })
            try await Pair(refusing).run { other, url in
                var iterator = closes.stream.makeAsyncIterator()
                await #expect(throws: ConnectError.self) {
                    _ = try await other.connect(url + "?refuse")
                }
                #expect(await iterator.next() == Close(.goingAway))
                let socket = try await other.connect(url)
                while try await socket.receive() != nil {}
                #expect(await iterator.next() == Close(.goingAway))
            }
        }
    }

    @Test("stopping a client drops what handlers opened with it, and opens no more")
    func stop() async throws {
        try await Pair(Self.echo).run { client, url in
            let opened = AsyncStream<Void>.makeStream()
            let asking = WebSocketHandler { socket in
                let server = try await client.connect(url)
                opened.continuation.yield()
                do {
                    _ = try await server.receive()
                } catch {
                    try await socket.send("\(error as? ConnectionError == .lost)")
                }
                do {
                    _ = try await client.connect(url)
                } catch {
                    try await socket.send("\(error as? ConnectError == .stopped)")
                }
            }
            try await Pair(asking).run { other, url in
                let socket = try await other.connect(url)
                var iterator = opened.stream.makeAsyncIterator()
                await iterator.next()
                client.stop()
                #expect(try await socket.receive() == .text("true"))
                #expect(try await socket.receive() == .text("true"))
            }
        }
    }

    @Test("stopping a client ends a dial that waits for its answer")
    func stopDialling() async throws {
        let silent = try CannedServer(nil)
        let client = WebSocketClient(.patient)
        let dialling = Task { try await client.connect(silent.url) }
        await silent.begun()
        client.stop()
        await #expect(throws: ConnectError.stopped) { _ = try await dialling.value }
    }

    @Test("dials from several loops to one address take turns (RFC 6455 §4.1)")
    func turns() async throws {
        let handshakes = Presence()
        let counting = WebSocketHandler(
            doExtraHandshake: { _ in
                await handshakes.enter()
                try await Task.sleep(for: .milliseconds(2))
                await handshakes.leave()
            }, transferData: { _ in })
        try await Pair(counting).run { client, url in
            let asking = WebSocketHandler { socket in
                for _ in 0..<8 { _ = try await client.connect(url) }
                try await socket.send("done")
            }
            var configuration = Configuration()
            configuration.host = "127.0.0.1"
            configuration.port = 0
            configuration.threadCount = 4
            var routes = Routes()
            routes.add("/test", asking)
            let server = try Server(configuration, routes: routes, log: Log(level: .critical))
            let port = try server.start()[0].port
            let other = WebSocketClient(.patient)
            try await withThrowingTaskGroup { group in
                for _ in 0..<8 {
                    group.addTask {
                        let socket = try await other.connect("ws://127.0.0.1:\(port)/test")
                        #expect(try await socket.receive() == .text("done"))
                    }
                }
                try await group.waitForAll()
            }
            server.forceStop()
            await server.stopped()
            other.stop()
        }
        #expect(await handshakes.most == 1)
    }

    @Test("a server that stops ends what its handlers opened")
    func serverStops() async throws {
        let ends = AsyncStream<Void>.makeStream()
        let noting = WebSocketHandler { socket in
            defer { ends.continuation.yield() }
            while try await socket.receive() != nil {}
        }
        try await Pair(noting).run { client, url in
            let asking = WebSocketHandler { socket in
                let server = OwnedConnection(try await client.connect(url))
                try await socket.send("open")
                while try await socket.receive() != nil {}
                try await server.socket.send("last words")
            }
            try await Pair(asking).run { other, url in
                let socket = try await other.connect(url)
                #expect(try await socket.receive() == .text("open"))
            }
            var iterator = ends.stream.makeAsyncIterator()
            await iterator.next()
            // The client goes on after the loop that it used first.
            let socket = try await client.connect(url)
            try await socket.close()
        }
    }
}

extension WebSocket {
    /// Whether the connection belongs to the thread of the caller.
    fileprivate var isOnCurrentLoop: Bool { connection.loop.isCurrent }
}
