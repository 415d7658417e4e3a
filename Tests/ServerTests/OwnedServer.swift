import EventLoop
import Glibc
import HTTPProtocol
import Synchronization
import TestSupport
import Testing
import WebSocketProtocol

@testable import WebSocketHost

/// A server whose owner asks it, by a socket.
enum OwnedServer {
    static let echo = WebSocketHandler { socket in
        for try await message in socket { try await socket.send(message) }
    }

    static func withServer(
        threads: Int = 1, _ configuration: Configuration = Configuration(),
        beside others: OtherAnswers? = nil,
        _ body: @escaping @Sendable (Server, AdminClient, UInt16) throws -> Void
    ) async throws {
        var routes = Routes()
        routes.add("/test", echo)
        routes.add("/ü\"", echo)
        routes.add(
            "/block",
            WebSocketHandler { socket in
                for try await case .text(let text) in socket { sleep(UInt32(text) ?? 0) }
            })
        var configuration = configuration
        configuration.host = "127.0.0.1"
        configuration.port = 0
        configuration.threadCount = threads
        configuration.drainTimeout = .milliseconds(100)
        let server = try Server(configuration, routes: routes, log: Log(level: .critical))
        server.identify(
            as: ServerIdentity(version: "1.2", processNumber: 3, began: .current()),
            beside: others)
        let port = try server.start()[0].port
        let path = try TemporaryFiles.path()
        server.answerAdmin(
            on: try ListeningSocket(at: try SocketAddress(path: path), backlog: 128))
        defer {
            server.forceStop()
            server.waitUntilStopped()
        }
        try await onThread { try body(server, try AdminClient(path), port) }
    }

    static func ask(
        _ admin: AdminClient, _ target: String, _ method: String = "GET"
    ) throws -> AdminAnswer {
        try admin.send("\(method) \(target) HTTP/1.1\r\nHost: a\r\n\r\n")
        return try admin.answer()
    }

    /// A client whose connection is open for the server too.
    static func connect(_ port: UInt16, _ target: String = "/test") throws -> TestClient {
        let client = try TestClient(port, target)
        try client.send("hello")
        #expect(try client.text() == "hello")
        return client
    }

    /// The id of the only one.
    static func id(_ admin: AdminClient) throws -> String {
        let body = try ask(admin, "/connections").body
        return String(try #require(body.firstMatch(of: /"id":"([^"]*)"/)).1)
    }

    static let empty =
        "{\"connections\":[],\"truncated\":false,\"missing\":[]}\n"

    /// The text with a star in the place of what each pattern finds.
    static func without(_ text: String, _ patterns: Regex<Substring>...) -> String {
        patterns.reduce(text) { $0.replacing($1, with: "*") }
    }
}

/// What the test says for other processes.
final class OtherAnswers: OtherProcesses, Sendable {
    let answers: [UInt64: String?]
    let questions = Mutex<[String]>([])

    init(_ answers: [UInt64: String?]) { self.answers = answers }

    var numbers: [UInt64] { answers.keys.sorted() }

    func ask(_ process: UInt64, _ question: String, then: @escaping (String?) -> Void) {
        questions.withLock { $0.append("\(process) \(question)") }
        then(answers[process] ?? nil)
    }
}
