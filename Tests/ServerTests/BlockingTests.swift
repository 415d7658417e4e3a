import EventLoop
import Glibc
import HTTPProtocol
import Synchronization
import Testing
import WebSocketProtocol

@testable import WebSocketHost

@Suite("Handlers that block their thread")
struct BlockingTests {
    /// A handler that blocks at its first message until the gate opens, and others beside it.
    private static func routes(_ gate: Gate) -> Routes {
        var routes = Routes()
        routes.add("/block", blocking(gate))
        routes.add(
            "/echo",
            WebSocketHandler { socket in
                for try await message in socket { try await socket.send(message) }
            })
        return routes
    }

    private static func blocking(_ gate: Gate) -> WebSocketHandler {
        WebSocketHandler { socket in
            _ = try await socket.receive()
            gate.block()
            try await socket.send("done")
        }
    }

    private static func configuration() -> Configuration {
        var configuration = Configuration()
        configuration.connection.pingInterval = .zero
        return configuration
    }

    private static func echoes(_ port: UInt16) throws {
        let client = try TestClient(port, "/echo")
        try client.send("hello")
        #expect(try client.text() == "hello")
    }

    @Test("new clients are served all the same", arguments: [1, 2, 4])
    func newClients(threads: Int) async throws {
        let gate = Gate()
        let server = try TestServer(
            threads: threads, Self.configuration(), Self.routes(gate))
        try await server.run { port in
            defer { gate.open() }
            let blocking = try TestClient(port, "/block")
            try blocking.send("block")
            gate.waitUntilBlocked()
            for _ in 0..<5 { try Self.echoes(port) }
            let page = try TestClient(tcp: port)
            try page.write(Array("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n".utf8))
            #expect(try page.readHead().status == .ok)
            gate.open()
            #expect(try blocking.text() == "done")
            try Self.echoes(port)
        }
    }

    @Test("a spare loop begins only when all others are blocked, and more than one may")
    func spareLoops() async throws {
        let gates = [Gate(), Gate(), Gate()]
        var routes = Self.routes(Gate())
        for (index, gate) in gates.enumerated() {
            routes.add("/block\(index)", Self.blocking(gate))
        }
        let server = try TestServer(threads: 1, Self.configuration(), routes)
        try await server.run { [server = server.server] port in
            defer { for gate in gates { gate.open() } }
            #expect(server.spares.withLock { $0.count } == 0)
            var blocking: [TestClient] = []
            for (index, gate) in gates.enumerated() {
                let client = try TestClient(port, "/block\(index)")
                try client.send("block")
                gate.waitUntilBlocked()
                blocking.append(client)
                try Self.echoes(port)
                #expect(server.spares.withLock { $0.count } == index + 1)
            }
            #expect(server.openConnectionCount >= gates.count)
            for gate in gates { gate.open() }
            for client in blocking { #expect(try client.text() == "done") }
        }
    }

    @Test("without a spare loop new clients wait, and the log says so")
    func noSpareLoop() async throws {
        let gate = Gate()
        let waits = Signal<Void>()
        let log = Log(LogSettings(level: .error)) { line in
            if line.contains("new connections wait") { waits.send(()) }
        }
        var configuration = Self.configuration()
        configuration.spareLoopLimit = 0
        let server = try TestServer(
            threads: 1, log: log, configuration, Self.routes(gate))
        let port = server.port
        let client = Task {
            try await onThread {
                let blocking = try TestClient(port, "/block")
                try blocking.send("block")
                gate.waitUntilBlocked()
                try Self.echoes(port)
                #expect(try blocking.text() == "done")
            }
        }
        _ = await waits.next()
        #expect(server.server.spares.withLock { $0.count } == 0)
        gate.open()
        try await client.value
        server.server.forceStop()
        server.server.waitUntilStopped()
    }

    @Test("what a worker was dealt just before it was blocked goes to another")
    func takenBack() async throws {
        let gate = Gate()
        let server = try TestServer(threads: 2, Self.configuration(), Self.routes(Gate()))
        try await server.run { [server = server.server] port in
            defer { gate.open() }
            // The next connection goes to the second worker, which has as many and does not come
            // to it: what was handed over before blocks its thread.
            let first = try TestClient(port, "/echo")
            server.loops[1].submit { gate.block() }
            gate.waitUntilBlocked()
            try Self.echoes(port)
            try first.send("still here")
            #expect(try first.text() == "still here")
        }
    }

    @Test("who connects after a handler was given what makes it block waits nowhere")
    func ready() async throws {
        let (blocked, held) = (Gate(), Gate())
        let server = try TestServer(threads: 1, Self.configuration(), Self.routes(blocked))
        try await server.run { [server = server.server] port in
            defer { for gate in [blocked, held] { gate.open() } }
            let blocking = try TestClient(port, "/block")
            server.loops[0].submit { held.block() }
            held.waitUntilBlocked()
            // The listener is ready before the message is, and after it as well.
            let first = try TestClient(tcp: port)
            try blocking.send("block")
            let second = try TestClient(tcp: port)
            held.open()
            for client in [first, second] {
                try client.write(Array("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n".utf8))
                #expect(try client.readHead().status == .ok)
            }
        }
    }

    @Test("what a worker was dealt can be taken back while it has other things to do first")
    func dealtBehindMessage() async throws {
        let (blocked, held) = (Gate(), Gate())
        let server = try TestServer(threads: 2, Self.configuration(), Self.routes(blocked))
        try await server.run { [server = server.server] port in
            defer { for gate in [blocked, held] { gate.open() } }
            let first = try TestClient(port, "/echo")
            let blocking = try TestClient(port, "/block")  // on the second worker
            let third = try TestClient(port, "/echo")
            server.loops[1].submit { held.block() }
            held.waitUntilBlocked()
            try blocking.send("block")
            let last = try TestClient(tcp: port)  // for the second worker, which has fewer
            // On the first worker, behind the one that was accepted.
            try third.send("accepted")
            #expect(try third.text() == "accepted")
            held.open()
            try last.write(Array("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n".utf8))
            #expect(try last.readHead().status == .ok)
            withExtendedLifetime(first) {}
        }
    }

    @Test("a stop does not wait for a handler beyond the drain time-out")
    func stopping() async throws {
        try await endsWhileBlocked(.milliseconds(100), Close(.goingAway)) { $0.stop() }
    }

    /// One of two loops is blocked for longer than the server waits: the client on the other one
    /// gets `close`, and the server ends before the handler does.
    private func endsWhileBlocked(
        _ drainTimeout: Duration, _ close: Close, _ leave: @escaping @Sendable (Server) -> Void
    ) async throws {
        let gate = Gate()
        var configuration = Self.configuration()
        configuration.drainTimeout = drainTimeout
        configuration.blockedLoopThreshold = .milliseconds(100)
        let server = try TestServer(threads: 2, configuration, Self.routes(gate))
        let port = server.port
        try await onThread {
            let blocking = try TestClient(port, "/block")
            let other = try TestClient(port, "/echo")
            try blocking.send("block")
            gate.waitUntilBlocked()
            leave(server.server)
            #expect(try other.closeReceived() == close)
            try other.sendClose(close)
            server.server.waitUntilStopped()
            // Its thread comes round after all.
            gate.open()
            #expect(throws: (any Error).self) { while true { _ = try blocking.event() } }
        }
    }

    @Test("forceStop() ends a server although all of its handlers block")
    func forced() async throws {
        let gate = Gate()
        var configuration = Self.configuration()
        configuration.blockedLoopThreshold = .milliseconds(100)
        let server = try TestServer(threads: 1, configuration, Self.routes(gate))
        let port = server.port
        try await onThread {
            let blocking = try TestClient(port, "/block")
            try blocking.send("block")
            gate.waitUntilBlocked()
            server.server.forceStop()
            server.server.waitUntilStopped()
            gate.open()
            #expect(throws: (any Error).self) { while true { _ = try blocking.event() } }
        }
    }

    @Test("a server that retires does not wait for ever for a handler that blocks")
    func retiringStuck() async throws {
        try await endsWhileBlocked(.milliseconds(200), Close(.serviceRestart)) { $0.retire() }
    }

    @Test("a server that retires does not wait for a handler without a connection that goes on")
    func retiringSpinning() async throws {
        let isOver = Atomic<Bool>(false)
        var configuration = Self.configuration()
        configuration.drainTimeout = .milliseconds(100)
        configuration.connection.closeTimeout = .milliseconds(100)
        var routes = Routes()
        routes.add(
            "/spin",
            WebSocketHandler { _ in
                while !isOver.load(ordering: .relaxed) { await Task.yield() }
            })
        let server = try TestServer(threads: 1, configuration, routes)
        let port = server.port
        try await onThread {
            let spinning = try TestClient(port, "/spin")
            server.server.retire()
            try spinning.sendClose()
            server.server.waitUntilStopped()
            isOver.store(true, ordering: .relaxed)
        }
    }

    @Test("a server that retires ends with its last connection, blocked ones included")
    func retiring() async throws {
        let gate = Gate()
        let server = try TestServer(threads: 2, Self.configuration(), Self.routes(gate))
        let port = server.port
        try await onThread {
            let blocking = try TestClient(port, "/block")
            let other = try TestClient(port, "/echo")
            try blocking.send("block")
            gate.waitUntilBlocked()
            server.server.retire()
            try other.send("still served")
            #expect(try other.text() == "still served")
            try other.sendClose()
            _ = try other.closeReceived()
            gate.open()
            #expect(try blocking.text() == "done")
            _ = try blocking.closeReceived()
            try blocking.sendClose()
            server.server.waitUntilStopped()
        }
    }
}
