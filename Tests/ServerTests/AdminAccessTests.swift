import EventLoop
import Glibc
import HTTPProtocol
import Synchronization
import TestSupport
import Testing

@testable import WebSocketHost

@Suite("Who may ask what is the owner's")
struct AdminAccessTests {
    /// A server whose owner asks on a port of 127.0.0.1.
    private func withServer(
        _ configuration: Configuration = Configuration(),
        _ body: @escaping @Sendable (Server, _ admin: UInt16, _ port: UInt16) throws -> Void
    ) async throws {
        let test = try TestServer(configuration, WebSocketHandler { (_: WebSocket) in })
        let address = try #require(try SocketAddress.resolve(host: "127.0.0.1", port: 0).first)
        let socket = try ListeningSocket(at: address, backlog: 128)
        test.server.answerAdmin(on: socket)
        let server = test.server
        try await test.run { port in try body(server, socket.address.port, port) }
    }

    private static func status(_ port: UInt16, _ request: String) throws -> Int {
        let client = try TestClient(tcp: port)
        try client.write(Array(request.utf8))
        return try client.readHead().status.code
    }

    private static let hosts: [(String, Int)] = [
        ("localhost", 200), ("LOCALHOST:80", 200), ("127.0.0.1", 200), ("127.9.9.9:1", 200),
        ("[::1]:9999", 200), ("a.localhost", 200), ("own.example", 200), ("own.example:443", 200),
        ("evil.example", 403), ("127.0.0.1.evil.example", 403), ("192.0.2.1", 403), ("*", 403),
        ("localhost.evil.example:9999", 403), ("", 403), ("a b", 400), ("xn--own.example", 403),
    ]

    @Test("over TCP, a page whose name was pointed here is refused by its Host", arguments: hosts)
    func hostNames(_ host: String, _ status: Int) async throws {
        var configuration = Configuration()
        configuration.serverNames = ["own.example"]
        try await withServer(configuration) { _, admin, _ in
            let answered = try Self.status(
                admin, "GET /live HTTP/1.1\r\nHost: \(host)\r\n\r\n")
            #expect(answered == status)
        }
    }

    @Test("HTTP/1.0 without a Host comes from no browser; 1.1 has to have one")
    func noHost() async throws {
        try await withServer { _, admin, _ in
            let rows = [
                ("GET /live HTTP/1.0\r\n\r\n", 200), ("GET /live HTTP/1.1\r\n\r\n", 400),
                ("GET http://evil.example/live HTTP/1.1\r\nHost: localhost\r\n\r\n", 403),
            ]
            for (request, status) in rows {
                let answered = try Self.status(admin, request)
                #expect(answered == status, "\(request)")
            }
        }
    }

    private static let origins = [
        "http://evil.example", "null", "http://localhost", "http://127.0.0.1:9998", "",
    ]

    @Test("any Origin is refused, whatever is asked for", arguments: origins)
    func originField(_ origin: String) async throws {
        try await withServer { server, admin, _ in
            for request in ["GET /live", "POST /topics/t", "DELETE /connections/1-1", "GET /x"] {
                let status = try Self.status(
                    admin,
                    "\(request) HTTP/1.1\r\nHost: localhost\r\nOrigin: \(origin)\r\n"
                        + "Content-Length: 0\r\n\r\n")
                #expect(status == 403, "\(request)")
            }
            #expect(server.topics.counters.published == 0)
        }
    }

    @Test("over a Unix-domain socket any Host will do, and an Origin will not")
    func unixSocket() async throws {
        let test = try TestServer(Configuration(), WebSocketHandler { (_: WebSocket) in })
        let path = try TemporaryFiles.path()
        test.server.answerAdmin(
            on: try ListeningSocket(at: try SocketAddress(path: path), backlog: 128))
        try await test.run { _ in
            let admin = try AdminClient(path)
            try admin.send("GET /live HTTP/1.1\r\nHost: evil.example\r\n\r\n")
            #expect(try admin.answer() == AdminAnswer(200, "live\n"))
            try admin.send("GET /live HTTP/1.1\r\nHost: a\r\nOrigin: http://a\r\n\r\n")
            #expect(try admin.answer().status == 403)
        }
    }

    @Test("a head over the limit gets 431")
    func longHead() async throws {
        var configuration = Configuration()
        configuration.admin.headByteLimit = 1_000
        try await withServer(configuration) { _, admin, port in
            let head =
                "GET /live HTTP/1.1\r\nHost: localhost\r\nX: "
                + String(repeating: "x", count: 1_000) + "\r\n\r\n"
            let answered = try Self.status(admin, head)
            #expect(answered == 431)
            // The public's limit is another one.
            let answeredInPublic = try Self.status(port, head)
            #expect(answeredInPublic == 404)
        }
    }

    @Test("who asks and never reads is closed")
    func neverReading() async throws {
        var configuration = Configuration()
        configuration.admin.sendTimeout = .milliseconds(50)
        try await withServer(configuration) { _, admin, _ in
            let client = try TestClient(tcp: admin)
            let request = "GET /none HTTP/1.1\r\nHost: localhost\r\n\r\n"
            let many = Array(String(repeating: request, count: 1_000).utf8)
            // Until the server has closed it, which is the end of this.
            #expect(throws: TestClientError.self) { while true { try client.write(many) } }
        }
    }
}
