import EventLoop
import Glibc
import HTTPProtocol
import Synchronization
import TestSupport
import Testing

@testable import WebSocketHost

@Suite("Whether a server lives and is ready")
struct HealthTests {
    private static let echo = WebSocketHandler { socket in
        for try await message in socket { try await socket.send(message) }
    }

    private static func ask(_ client: AdminClient, _ target: String) throws -> AdminAnswer {
        try client.send("GET \(target) HTTP/1.1\r\nHost: a\r\n\r\n")
        return try client.answer()
    }

    @Test("a condition that is not met makes it unready, by its name")
    func conditions() async throws {
        let test = try TestServer(Configuration(), Self.echo)
        let path = try TemporaryFiles.path()
        test.server.answerAdmin(
            on: try ListeningSocket(at: try SocketAddress(path: path), backlog: 128))
        let obstacle = Mutex<String?>("not connected")
        test.server.require(ReadinessCondition(name: "one") { nil })
        test.server.require(ReadinessCondition(name: "redis") { obstacle.withLock(\.self) })
        try await test.run { _ in
            let admin = try AdminClient(path)
            #expect(
                try Self.ask(admin, "/ready")
                    == AdminAnswer(503, "not ready: redis: not connected\n"))
            #expect(try Self.ask(admin, "/live") == AdminAnswer(200, "live\n"))
            obstacle.withLock { $0 = nil }
            #expect(try Self.ask(admin, "/ready") == AdminAnswer(200, "ready\n"))
        }
    }

    @Test("a server that stops answers to its end on a socket that is for that, and not elsewhere")
    func draining() async throws {
        let test = try TestServer(Configuration(), Self.echo)
        let server = test.server
        #expect(server.readiness == .ready)
        let path = try TemporaryFiles.path()
        let leavingPath = try TemporaryFiles.path()
        for (place, stays) in [(path, true), (leavingPath, false)] {
            server.answerAdmin(
                on: try ListeningSocket(at: try SocketAddress(path: place), backlog: 128),
                staysUntilEnd: stays)
        }
        try await test.run { port in
            let open = try TestClient(port)
            let leaving = try AdminClient(leavingPath)
            #expect(try Self.ask(leaving, "/ready").status == 200)
            server.stop()
            #expect(try leaving.answer().status == 503)
            #expect(try leaving.ends())
            let admin = try AdminClient(path)
            #expect(
                try Self.ask(admin, "/ready")
                    == AdminAnswer(
                        503, "not ready: the server stops: 1 connections are still open\n"))
            #expect(try Self.ask(admin, "/live").status == 200)
            #expect(try Self.ask(admin, "/topics").status == 200)
            _ = open
        }
        #expect(server.readiness != .ready)
    }

    @Test("a process that was replaced leaves all such sockets")
    func retiring() async throws {
        let test = try TestServer(Configuration(), Self.echo)
        let server = test.server
        let path = try TemporaryFiles.path()
        server.answerAdmin(
            on: try ListeningSocket(at: try SocketAddress(path: path), backlog: 128),
            staysUntilEnd: true)
        try await test.run { port in
            let open = try TestClient(port)
            let admin = try AdminClient(path)
            #expect(try Self.ask(admin, "/ready").status == 200)
            server.retire()
            #expect(try admin.answer().status == 503)
            #expect(try admin.ends())
            _ = open
        }
    }

    @Test("before it begins it is not ready")
    func beginning() throws {
        let server = try Server()
        #expect(server.readiness == .unready("the server has not begun"))
        #expect(server.blockedLoops == [])
    }
}
