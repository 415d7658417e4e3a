import EventLoop
import HTTPProtocol
import LoopTesting
import Testing

@testable import HTTPServer

@Suite("Passwords that are being computed")
struct PasswordCheckTests {
    /// Decides nothing until the test says so.
    private final class Gate: Sendable {
        private let users = Watched<[String]>([])
        private let isOpen = Watched(false)

        var begun: [String] { users.value }
        func open() { isOpen.set() }

        /// Waits until so many were begun.
        func wait(forCount count: Int) -> Bool { users.wait { $0.count == count } }

        func decide(_ credentials: BasicCredentials) -> Bool {
            users.update { $0.append(credentials.user) }
            return isOpen.wait() && credentials.password == "right"
        }
    }

    private static func request(_ user: String, _ password: String = "right") -> String {
        let credentials = BasicCredentials(user: user, password: password)
        return "GET /a HTTP/1.1\r\nHost: a\r\nAuthorization: \(credentials.authorization)\r\n\r\n"
    }

    /// Clients whose passwords are computed when the gate opens: as many as there are threads, then
    /// others that wait.
    private func withClients(
        _ users: [String],
        _ body: ([TestExchange], BasicAuthentication, Gate) throws -> Void
    ) throws {
        let gate = Gate()
        defer { gate.open() }
        let authentication = try BasicAuthentication { gate.decide($0) }
        try withExchanges([AuthenticationResponder(authentication), Pages()]) { open in
            let threads = try (0..<BasicAuthentication.threadLimit).map { _ in try open() }
            for (index, client) in threads.enumerated() {
                try client.send(Self.request("busy\(index)"))
            }
            // What waits from now on has others before it.
            #expect(gate.wait(forCount: threads.count))
            let clients = try users.map { user in
                let client = try open()
                try client.send(Self.request(user))
                return client
            }
            try body(clients, authentication, gate)
        }
    }

    @Test("who is right goes on, who is wrong does not")
    func verdicts() throws {
        let gate = Gate()
        gate.open()
        let authentication = try BasicAuthentication { gate.decide($0) }
        try withExchanges([AuthenticationResponder(authentication), Pages()]) { open in
            let client = try open()
            try client.send(Self.request("a") + Self.request("b", "wrong") + Self.request("a"))
            #expect(client.wait(for: [200, 401, 200]))
        }
    }

    @Test("what a client waits for that is gone is not computed", arguments: [true, false])
    func gone(_ isReset: Bool) throws {
        try withClients(["gone", "here"]) { clients, authentication, gate in
            #expect(authentication.waitingCount == 2)
            try clients[0].onLoop { isReset ? clients[0].peer.reset() : clients[0].peer.end() }
            try clients[0].advance(by: .zero)
            #expect(authentication.waitingCount == 1)
            gate.open()
            #expect(clients[1].wait(for: [200]))
            #expect(gate.begun.sorted() == ["busy0", "busy1", "here"])
        }
    }

    @Test("a process that leaves has nobody wait for others; the next one computes it")
    func leaving() throws {
        try withClients(["first", "second"]) { clients, authentication, gate in
            try clients[0].onLoop { clients[0].exchanges.leave() }
            try clients[0].advance(by: .zero)
            #expect(authentication.waitingCount == 0)
            for client in clients {
                #expect(client.statuses == [503] && client.hasEnded)
                #expect(client.text.contains("Retry-After: 1"))
            }
            // One that was accepted before and asks only now.
            let late = try clients[0].another()
            try late.send(Self.request("late"))
            #expect(late.statuses == [503])
        }
    }

    @Test("a responder that stands before the passwords answers anybody")
    func open() throws {
        let authentication = try BasicAuthentication(credential: "a:right")
        try withExchanges([Open(), AuthenticationResponder(authentication), Pages()]) { open in
            let client = try open()
            try client.send("GET /open HTTP/1.1\r\nHost: a\r\n\r\n")
            try client.send("GET /a HTTP/1.1\r\nHost: a\r\n\r\n" + Self.request("a"))
            #expect(client.statuses == [200, 401, 200])
        }
    }

    private final class Open: Responder {
        func respond(to request: inout Request, _ exchange: Exchange) -> Reply {
            request.path == "/open" ? .response(Response(.ok, text: "open")) : .pass
        }
    }

    @Test("no more wait than may")
    func limit() throws {
        let count = BasicAuthentication.waitingCountLimit
        try withClients((0...count).map { "user\($0)" }) { clients, authentication, _ in
            #expect(authentication.waitingCount == count)
            #expect(clients[count].statuses == [503] && clients[count - 1].statuses == [])
        }
    }
}
