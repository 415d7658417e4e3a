import EventLoop
import HTTPProtocol
import Synchronization
import TestSupport
import Testing
import Topics
import WebSocketProtocol

@testable import WebSocketHost

@Suite("What a server's owner asks on a socket of the owner's own")
struct AdminTests {
    /// A server that publishes to subscribers of the topic that a client's first message names.
    private func withServer(
        _ configuration: Configuration = Configuration(),
        _ body: @escaping @Sendable (Server, _ path: String, UInt16) throws -> Void
    ) async throws {
        let test = try TestServer(configuration, Self.subscribing)
        let path = try TemporaryFiles.path()
        test.server.answerAdmin(
            on: try ListeningSocket(at: try SocketAddress(path: path), backlog: 128))
        let server = test.server
        try await test.run { port in try body(server, path, port) }
    }

    private static let subscribing = WebSocketHandler { socket in
        for try await case .text(let text) in socket {
            try await socket.subscribe(to: text)
            try await socket.send("subscribed")
        }
    }

    private static func post(_ path: String, _ body: String, _ fields: String = "") -> String {
        "POST \(path) HTTP/1.1\r\nHost: a\r\n\(fields)Content-Length: \(body.utf8.count)\r\n\r\n"
            + body
    }

    @Test("what is posted reaches subscribers, as text or as binary")
    func publishing() async throws {
        try await withServer { _, path, port in
            let subscriber = try TestClient(port)
            try subscriber.send("a b/ü")
            #expect(try subscriber.text() == "subscribed")
            let admin = try AdminClient(path)
            let counts = "{\"receivers\":1,\"skipped\":0,\"closed\":0}\n"
            try admin.send(Self.post("/topics/a%20b/%C3%BC", "é"))
            #expect(try admin.answer() == AdminAnswer(202, counts))
            #expect(try subscriber.text() == "é")
            try admin.send(Self.post("/topics/a%20b%2F%C3%BC", ""))
            #expect(try admin.answer() == AdminAnswer(202, counts))
            #expect(try subscriber.text() == "")
            try admin.send(
                Self.post(
                    "/topics/a%20b/%C3%BC", "x", "Content-Type: Application/Octet-Stream ; a=b\r\n")
            )
            #expect(try admin.answer() == AdminAnswer(202, counts))
            #expect(try subscriber.message() == .binary([0x78]))
            try admin.send(
                "POST /topics/a%20b/%C3%BC HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n"
                    + "\r\n2\r\nab\r\n1\r\nc\r\n0\r\n\r\n")
            #expect(try admin.answer() == AdminAnswer(202, counts))
            #expect(try subscriber.text() == "abc")
            try admin.send(Self.post("/topics/other", "nobody"))
            #expect(
                try admin.answer()
                    == AdminAnswer(202, "{\"receivers\":0,\"skipped\":0,\"closed\":0}\n"))
        }
    }

    @Test("thousands of requests one behind the other, however they are cut, keep their order")
    func pipelining() async throws {
        try await withServer { _, path, port in
            let subscriber = try TestClient(port)
            try subscriber.send("t")
            #expect(try subscriber.text() == "subscribed")
            let admin = try AdminClient(path)
            let count = 3_000
            let all = Array((0..<count).map { Self.post("/topics/t", "\($0)") }.joined().utf8)
            let thread = try LoopThread {
                for start in stride(from: 0, to: all.count, by: 7_919) {
                    try? admin.send(bytes: Array(all[start..<min(all.count, start + 7_919)]))
                }
            }
            for _ in 0..<count { #expect(try admin.answer().status == 202) }
            thread.join()
            for number in 0..<count { try #require(try subscriber.text() == "\(number)") }
        }
    }

    struct Refusal: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let request: String
        let status: Int
        let text: String
        var ends = false
    }

    static let refusals = [
        Refusal(
            testDescription: "no name", request: post("/topics/", "x"), status: 400,
            text: "name is empty"),
        Refusal(
            testDescription: "long name",
            request: post("/topics/" + String(repeating: "x", count: 256), "x"), status: 400,
            text: "256 bytes, over the limit of 255"),
        Refusal(
            testDescription: "name that is not UTF-8", request: post("/topics/%FF", "x"),
            status: 400, text: "target is not valid"),
        Refusal(
            testDescription: "name that is no percent-encoding", request: post("/topics/%", "x"),
            status: 400, text: "target is not valid"),
        Refusal(
            testDescription: "longer than a message may be",
            request: post("/topics/t", "12345678901"),
            status: 413, text: "longer than 10 bytes", ends: true),
        Refusal(
            testDescription: "longer in chunks",
            request:
                "POST /topics/t HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nb\r\n",
            status: 413, text: "longer than 10 bytes", ends: true),
        Refusal(
            testDescription: "bad chunk",
            request:
                "POST /topics/t HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n",
            status: 400, text: "malformed", ends: true),
        Refusal(
            testDescription: "another method", request: "GET /topics/t HTTP/1.1\r\nHost: a\r\n\r\n",
            status: 405, text: "Only POST"),
        Refusal(
            testDescription: "posting to the list",
            request: "POST /topics HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n", status: 405,
            text: "Only GET and HEAD"),
        Refusal(
            testDescription: "nothing there", request: "GET /other HTTP/1.1\r\nHost: a\r\n\r\n",
            status: 404, text: "nothing"),
        Refusal(
            testDescription: "a handler's path",
            request: "GET /test HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\n\r\n", status: 404,
            text: "nothing"),
    ]

    @Test("refusals say why, and nothing is published", arguments: refusals)
    func refusing(_ row: Refusal) async throws {
        var configuration = Configuration()
        configuration.connection.messageByteLimit = 10
        try await withServer(configuration) { server, path, _ in
            let admin = try AdminClient(path)
            try admin.send(row.request)
            let answer = try admin.answer()
            #expect(answer.status == row.status)
            #expect(answer.body.contains(row.text), "\(answer.body)")
            #expect(answer.body.split(separator: "\n").count == 1)
            #expect(server.topics.counters.published == 0)
            if row.ends { #expect(try admin.ends()) }
        }
    }

    @Test("text has to be UTF-8")
    func notText() async throws {
        try await withServer { server, path, _ in
            let admin = try AdminClient(path)
            let head = "POST /topics/t HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\n"
            try admin.send(bytes: Array(head.utf8) + [0xFF])
            let answer = try admin.answer()
            #expect(answer.status == 400 && answer.body.contains("not UTF-8"))
            // The body was read, so the connection goes on.
            try admin.send(Self.post("/topics/t", "x"))
            #expect(try admin.answer().status == 202)
            #expect(server.topics.counters.published == 1)
        }
    }

    @Test("topics that have subscribers are listed, and a list that is cut says so")
    func listing() async throws {
        var configuration = Configuration()
        configuration.topics.subscriptionLimit = 2_000
        try await withServer(configuration) { _, path, port in
            let admin = try AdminClient(path)
            try admin.send("GET /topics HTTP/1.1\r\nHost: a\r\n\r\n")
            #expect(try admin.answer() == AdminAnswer(200, "{\"topics\":[],\"isCut\":false}\n"))
            let subscriber = try TestClient(port)
            for name in ["b", "a\"\n"] {
                try subscriber.send(name)
                #expect(try subscriber.text() == "subscribed")
            }
            try admin.send(Self.post("/topics/b", "x"))
            #expect(try admin.answer().status == 202)
            try admin.send("GET /topics HTTP/1.1\r\nHost: a\r\n\r\n")
            #expect(
                try admin.answer()
                    == AdminAnswer(
                        200,
                        "{\"topics\":[{\"name\":\"a\\\"\\n\",\"subscribers\":1,"
                            + "\"localSubscribers\":1,\"published\":0},"
                            + "{\"name\":\"b\",\"subscribers\":1,\"localSubscribers\":1,"
                            + "\"published\":1}],\"isCut\":false}\n"))
            for number in 0..<TopicList.limit { try subscriber.send("\(number)") }
            _ = try subscriber.message()  // what was published
            for _ in 0..<TopicList.limit { _ = try subscriber.message() }
            try admin.send("GET /topics HTTP/1.1\r\nHost: a\r\n\r\n")
            let answer = try admin.answer()
            #expect(answer.body.hasSuffix("],\"isCut\":true}\n"))
            #expect(
                answer.body.components("\"name\"") == TopicList.limit)
        }
    }

    @Test("only on that socket")
    func notInPublic() async throws {
        try await withServer { server, _, port in
            for request in [Self.post("/topics/t", "x"), "GET /topics HTTP/1.1\r\nHost: a\r\n\r\n"]
            {
                let client = try TestClient(tcp: port)
                try client.write(Array(request.utf8))
                let head = try client.readHead()
                #expect(head.status.code >= 404)
            }
            #expect(server.topics.counters.published == 0)
        }
    }

    @Test("a process that retires tells every client, and what it did not answer was not done")
    func retiring() async throws {
        try await withServer { server, path, port in
            // Keeps the process.
            let subscriber = try TestClient(port)
            try subscriber.send("t")
            #expect(try subscriber.text() == "subscribed")
            let fresh = try AdminClient(path)
            let kept = try AdminClient(path)
            try kept.send(Self.post("/topics/t", "1"))
            #expect(try kept.answer().status == 202)
            let beginning = try AdminClient(path)
            try beginning.send("POST /topics/t HT")
            let unfinished = try AdminClient(path)
            try unfinished.send("POST /topics/t HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nx")
            // Connections are accepted in their order, and read in the turn after that.
            for client in [fresh, beginning, unfinished] { try client.waitUntilRead() }
            server.retire()
            for client in [fresh, kept, beginning, unfinished] {
                let answer = try client.answer()
                #expect(answer.status == 503)
                #expect(answer.fields["Connection"] == "close")
                #expect(try client.ends())
            }
            #expect(throws: SystemError.self) {
                while true { _ = try AdminClient(path) }  // as soon as it accepts nothing more
            }
            #expect(server.topics.counters.published == 1)
        }
    }

    @Test("more connections than there may be get 503")
    func connectionLimit() async throws {
        try await withServer { _, path, _ in
            var clients: [AdminClient] = []
            for _ in 0..<AdminSettings().connectionLimit { clients.append(try AdminClient(path)) }
            let surplus = try AdminClient(path)
            #expect(try surplus.answer().status == 503)
            #expect(try surplus.ends())
            for client in clients {
                try client.send(Self.post("/topics/t", "x"))
                #expect(try client.answer().status == 202)
            }
        }
    }

    @Test("none of it is logged as a request")
    func noLines() async throws {
        let lines = Mutex<[String]>([])
        var settings = LogSettings()
        settings.level = .info
        let log = Log(settings) { line in lines.withLock { $0.append(line) } }
        let test = try TestServer(log: log, Configuration(), Routes())
        let path = try TemporaryFiles.path()
        test.server.answerAdmin(
            on: try ListeningSocket(at: try SocketAddress(path: path), backlog: 128))
        try await test.run { _ in
            let admin = try AdminClient(path)
            try admin.send(Self.post("/topics/t", "x"))
            #expect(try admin.answer().status == 202)
        }
        log.flush()
        #expect(lines.withLock { $0.filter { $0.contains("topics") } } == [])
    }
}

extension String {
    fileprivate func components(_ separator: String) -> Int { ranges(of: separator).count }
}
