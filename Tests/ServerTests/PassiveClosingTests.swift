import HTTPProtocol
import TestSupport
import Testing
import WebSocketHost
import WebSocketProtocol

@Suite("passiveClosingHandshake with the socket, and with what the first hook returned")
struct PassiveClosingTests {
    /// One handler for each form that a file may write.
    private struct Spelling: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let handler: WebSocketHandler
        /// The text that is sent before the Close, and the Close that answers 3001 and "so long".
        let text: String?
        let answer: WebSocketProtocol.Close

        init(
            _ name: String, text: String? = nil, _ answer: WebSocketProtocol.Close,
            _ handler: WebSocketHandler
        ) {
            testDescription = name
            self.handler = handler
            self.text = text
            self.answer = answer
        }
    }

    private static let received = Close(3001, reason: "so long")

    @Sendable private static func talk(_ socket: WebSocket) async throws {
        while try await socket.receive() != nil {}
    }

    @Sendable private static func sayGoodbye(
        _ socket: WebSocket, _ name: String, _ close: WebSocketProtocol.Close
    ) async throws -> WebSocketProtocol.Close {
        try await socket.send("goodbye, \(name)")
        return Close(close.code, reason: name)
    }

    private static let spellings: [Spelling] = [
        Spelling(
            "no hook", received,
            WebSocketHandler { socket in try await talk(socket) }),
        Spelling(
            "nil", received,
            WebSocketHandler(transferData: talk, passiveClosingHandshake: nil)),
        Spelling(
            "{ $0 }", received,
            WebSocketHandler(transferData: talk, passiveClosingHandshake: { $0 })),
        Spelling(
            "{ close in }", Close(3002),
            WebSocketHandler(
                transferData: { socket in try await talk(socket) },
                passiveClosingHandshake: { close in
                    guard close == received else { return Close(4000) }
                    return Close(3002)
                })),
        Spelling(
            "{ socket, close in }", text: "bye", received,
            WebSocketHandler(
                transferData: { socket in try await talk(socket) },
                passiveClosingHandshake: { socket, close in
                    try await socket.send("bye")
                    return close
                })),
        Spelling(
            "{ socket, close in } with a first hook that returns nothing, and trailing closures",
            text: "/test", Close(3003),
            WebSocketHandler(
                doExtraHandshake: { request in request.allowsCompression = false }
            ) { socket in
                try await talk(socket)
            } passiveClosingHandshake: { socket, _ in
                try await socket.send(socket.request.path)
                return Close(3003)
            }),
        Spelling(
            "{ close in } with a context", Close(3004),
            WebSocketHandler(
                doExtraHandshake: { request in request.query["name"] ?? "" },
                transferData: { socket, name in try await talk(socket) },
                passiveClosingHandshake: { _ in Close(3004) })),
        Spelling(
            "{ socket, context, close in }", text: "bye, Ada", Close(3001, reason: "Ada"),
            WebSocketHandler(
                doExtraHandshake: { request in request.query["name"] ?? "" },
                transferData: { socket, name in try await talk(socket) },
                passiveClosingHandshake: { socket, name, close in
                    try await socket.send("bye, \(name)")
                    return Close(close.code, reason: name)
                })),
        Spelling(
            "a function", text: "goodbye, Ada", Close(3001, reason: "Ada"),
            WebSocketHandler(
                doExtraHandshake: { request in request.query["name"] ?? "" },
                transferData: { socket, _ in try await talk(socket) },
                passiveClosingHandshake: sayGoodbye)),
    ]

    @Test("each form compiles, and answers", arguments: spellings)
    private func answers(_ spelling: Spelling) async throws {
        try await TestServer(spelling.handler).run { port in
            let client = try TestClient(port, "/test?name=Ada")
            try client.sendClose(Self.received)
            if let text = spelling.text { #expect(try client.text() == text) }
            #expect(try client.closeReceived() == spelling.answer)
            #expect(try client.endsCleanly())
        }
    }

    @Test("each connection has what its own first hook returned")
    func contexts() async throws {
        let handler = WebSocketHandler(
            doExtraHandshake: { request in request.query["name"] ?? "" },
            transferData: { socket, _ in try await Self.talk(socket) },
            passiveClosingHandshake: { _, name, close in Close(close.code, reason: name) })
        try await TestServer(handler).run { port in
            let ada = try TestClient(port, "/test?name=Ada")
            let bob = try TestClient(port, "/test?name=Bob")
            try ada.sendClose(Close(3000))
            #expect(try ada.closeReceived() == Close(3000, reason: "Ada"))
            try bob.sendClose(Close(3000))
            #expect(try bob.closeReceived() == Close(3000, reason: "Bob"))
        }
    }

    @Test("a hook that closes by itself has answered")
    func closesByItself() async throws {
        let handler = WebSocketHandler(
            transferData: Self.talk,
            passiveClosingHandshake: { socket, close in
                try await socket.close(4001, reason: "mine", waitsForAnswer: false)
                return close
            })
        try await TestServer(handler).run { port in
            let client = try TestClient(port)
            try client.sendClose(Close(3000))
            #expect(try client.closeReceived() == Close(4001, reason: "mine"))
            #expect(try client.endsCleanly())
        }
    }

    private struct Refused: Error {}

    @Test("throwing drops TCP behind what was sent, without a Close")
    func throwing() async throws {
        let handler = WebSocketHandler(
            doExtraHandshake: { _ in "Ada" },
            transferData: { socket, _ in try await Self.talk(socket) },
            passiveClosingHandshake: { socket, name, _ in
                try await socket.send("no, \(name)")
                throw Refused()
            })
        try await TestServer(handler).run { port in
            let client = try TestClient(port)
            try client.sendClose(Close(3000))
            #expect(try client.text() == "no, Ada")
            #expect(throws: (any Error).self) { try client.event() }
        }
    }

    @Test("one that does not return is cancelled after the close time-out")
    func slow() async throws {
        var configuration = Configuration()
        configuration.connection.closeTimeout = .milliseconds(50)
        let cancelled = Signal<String>()
        let handler = WebSocketHandler(
            doExtraHandshake: { _ in "Ada" },
            transferData: { socket, _ in try await Self.talk(socket) },
            passiveClosingHandshake: { _, name, close in
                try? await Task.sleep(for: .seconds(3_600))
                cancelled.send(name)
                return close
            })
        try await TestServer(configuration, handler).run { port in
            let client = try TestClient(port)
            try client.sendClose()
            #expect(throws: (any Error).self) { try client.event() }
        }
        #expect(await cancelled.next() == "Ada")
    }
}
