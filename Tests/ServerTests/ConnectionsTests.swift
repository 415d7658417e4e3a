import EventLoop
import Glibc
import HTTPProtocol
import Synchronization
import TestSupport
import Testing
import WebSocketProtocol

@testable import WebSocketHost

@Suite("Connections, for the owner of a server")
struct ConnectionsTests {
    @Test("each has its id, route, address and counts")
    func listing() async throws {
        try await OwnedServer.withServer { _, admin, port in
            #expect(
                try OwnedServer.ask(admin, "/connections") == AdminAnswer(200, OwnedServer.empty))
            let client = try OwnedServer.connect(port)
            let answer = try OwnedServer.ask(admin, "/connections")
            #expect(
                OwnedServer.without(answer.body, /3-\d+/, /:\d+"/, /\d+\.\d{3}/)
                    == "{\"connections\":[{\"id\":\"*\",\"route\":\"/test\","
                    + "\"address\":\"127.0.0.1*,\"user\":null,\"age\":*,\"messagesIn\":1,"
                    + "\"bytesIn\":11,\"messagesOut\":1,\"bytesOut\":7,\"queuedBytes\":0,"
                    + "\"closing\":false}],\"truncated\":false,\"missing\":[]}\n")
            withExtendedLifetime(client) {}
        }
    }

    @Test("by route, by address, and no more than asked for")
    func queries() async throws {
        try await OwnedServer.withServer(threads: 2) { _, admin, port in
            let clients = try (0..<3).map { _ in try OwnedServer.connect(port) }
            let other = try OwnedServer.connect(port, "/%C3%BC%22")
            func count(_ query: String) throws -> (Int, isCut: Bool) {
                let body = try OwnedServer.ask(admin, "/connections?\(query)").body
                return (body.ranges(of: "\"id\"").count, body.contains("\"truncated\":true"))
            }
            let rows = [
                ("", 4, false), ("route=/test", 3, false), ("route=/%C3%BC%22", 1, false),
                ("route=/tes", 0, false), ("route=", 0, false), ("address=127.0.0.1", 4, false),
                ("address=127.0.0.0/8&route=%2Ftest", 3, false), ("address=10.0.0.0/8", 0, false),
                ("address=::1", 0, false), ("limit=4", 4, false), ("limit=3", 3, true),
                ("limit=1", 1, true), ("route=/test&limit=3", 3, false), ("limit=10000", 4, false),
            ]
            for (query, expected, isCut) in rows {
                let found = try count(query)
                #expect(found == (expected, isCut), "\(query)")
            }
            withExtendedLifetime((clients, other)) {}
        }
    }

    private static let wrongQueries = [
        "limit=0", "limit=-1", "limit=10001", "limit=", "limit=x", "address=", "address=localhost",
        "address=10.0.0.1/8", "address=1.2.3.4:5", "user=x", "route=/a&x", "Limit=1",
    ]

    @Test("what cannot be asked for is named", arguments: wrongQueries)
    func wrongQuery(_ query: String) async throws {
        try await OwnedServer.withServer { _, admin, _ in
            let answer = try OwnedServer.ask(admin, "/connections?\(query)")
            #expect(answer.status == 400)
            #expect(answer.body.split(separator: "\n").count == 1)
        }
    }

    struct Kick: Sendable {
        let query: String
        let close: Close
    }

    private static let kicks = [
        Kick(query: "", close: Close(.goingAway)),
        Kick(query: "?code=1008", close: Close(.policyViolation)),
        Kick(
            query: "?code=4999&reason=b%C3%BCrger%20%2B+x",
            close: Close(4_999, reason: "bürger + x")),
        Kick(query: "?reason=why", close: Close(.goingAway, reason: "why")),
        Kick(
            query: "?reason=" + String(repeating: "x", count: 123),
            close: Close(.goingAway, reason: String(repeating: "x", count: 123))),
    ]

    @Test("one is closed with the code and the reason", arguments: kicks)
    func kicking(_ kick: Kick) async throws {
        let (query, close) = (kick.query, kick.close)
        try await OwnedServer.withServer(threads: 2) { _, admin, port in
            let client = try OwnedServer.connect(port)
            let id = try OwnedServer.id(admin)
            let code = close.code?.rawValue ?? 0
            #expect(
                try OwnedServer.ask(admin, "/connections/\(id)\(query)", "DELETE")
                    == AdminAnswer(202, "{\"id\":\"\(id)\",\"code\":\(code)}\n"))
            #expect(try client.closeReceived() == close)
            try client.sendClose(close)
            #expect(try client.endsCleanly())
            // Once its descriptor is closed it is unknown.
            while try OwnedServer.ask(admin, "/connections/\(id)", "DELETE").status != 404 {}
            #expect(try OwnedServer.ask(admin, "/connections").body == OwnedServer.empty)
        }
    }

    private static let wrongKicks = [
        ("3-1?code=999", 400), ("3-1?code=1004", 400), ("3-1?code=1005", 400),
        ("3-1?code=1006", 400), ("3-1?code=1015", 400), ("3-1?code=2999", 400),
        ("3-1?code=5000", 400), ("3-1?code=", 400), ("3-1?code=x", 400), ("3-1?code=66537", 400),
        ("3-1?why=x", 400), ("3-1?reason=" + String(repeating: "x", count: 124), 400),
        ("3-1?code=1000", 404), ("3-0", 404), ("2-1", 404), ("3", 404), ("", 404), ("3-1-1", 404),
        ("3--1", 404), ("x-1", 404), ("+3-+1", 404), ("18446744073709551616-1", 404),
    ]

    @Test("no other connection is closed", arguments: wrongKicks)
    func wrongKick(_ target: String, _ status: Int) async throws {
        try await OwnedServer.withServer { _, admin, _ in
            let answer = try OwnedServer.ask(admin, "/connections/\(target)", "DELETE")
            #expect(answer.status == status, "\(answer.body)")
            #expect(answer.body.split(separator: "\n").count == 1)
        }
    }

    @Test("only GET lists and only DELETE closes")
    func methods() async throws {
        try await OwnedServer.withServer { _, admin, _ in
            #expect(try OwnedServer.ask(admin, "/connections", "DELETE").status == 405)
            let answer = try OwnedServer.ask(admin, "/connections/3-1")
            #expect(answer.status == 405 && answer.fields["Allow"] == "DELETE")
        }
    }

    @Test("a loop that is blocked is named, and the others are not waited for with it")
    func blocked() async throws {
        var configuration = Configuration()
        configuration.admin.loopTimeout = .milliseconds(50)
        configuration.blockedLoopThreshold = .milliseconds(10)
        try await OwnedServer.withServer(threads: 2, configuration) { _, admin, port in
            let blocking = try TestClient(port, "/block")
            try blocking.send("2")
            var answer = try OwnedServer.ask(admin, "/connections")
            while !answer.body.contains("event loop") {
                answer = try OwnedServer.ask(admin, "/connections")
            }
            #expect(
                answer.body.contains(
                    "of server process 3, which is blocked\"]"), "\(answer.body)")
            let kick = try OwnedServer.ask(admin, "/connections/3-99", "DELETE")
            #expect(kick.status == 503 && kick.body.contains("which is blocked"))
            let status = try OwnedServer.ask(admin, "/status?format=text")
            #expect(status.body.contains("/block has been blocking its thread"))
        }
    }

    @Test("between two pieces of a look at all connections, others have their turn")
    func pieces() async throws {
        try await OwnedServer.withServer { server, _, port in
            let clients = try (0..<40).map { _ in try OwnedServer.connect(port) }
            let turns = Mutex<[String]>([])
            let worker = server.workers[0]
            worker.loop.submit {
                worker.visitConnections(timeLimit: .zero) { _ in
                    turns.withLock { $0.append("visit") }
                    worker.loop.submit { turns.withLock { $0.append("other") } }
                    return true
                } onEnd: {
                    turns.withLock { $0.append("end") }
                }
            }
            while !turns.withLock({ $0.contains("end") }) { usleep(1_000) }
            let noted = turns.withLock(\.self)
            #expect(noted.count { $0 == "visit" } == 40)
            let longest = noted.split(separator: "other").map(\.count).max() ?? 0
            #expect(longest <= 8 + 1)
            withExtendedLifetime(clients) {}
        }
    }
}
