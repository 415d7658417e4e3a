import Glibc
import HTTPProtocol
import Testing
import WebSocketHost
import WebSocketProtocol

/// What a handler learns when its connection has ended.
struct Heard: Sendable, Equatable {
    /// `nil`: `receive` returned `nil`.
    var receive: ConnectionError?
    var send: ConnectionError?
    /// What `close` returns, when it is called first or after the end.
    var close: Close?
}

/// What a handler does first.
enum HandlerActs: Sendable {
    case receives, closesWith4001, aborts
}

/// A row of the tables in docs/CLOSING.md.
struct EndingRow: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let handlerActs: HandlerActs
    var hook: WebSocketHandler.PassiveClosingHandshake?
    /// Of the handler's server; by default so long that nothing but the case itself ends the wait.
    var closeTimeout: Duration = .seconds(300)
    var pingInterval: Duration = .zero
    /// What the client does, and what it must see.
    let client: @Sendable (TestClient) throws -> Void
    let heard: Heard
    /// From the line that the log has of the end.
    let logged: String

    init(
        _ name: String, handler handlerActs: HandlerActs = .receives,
        hook: WebSocketHandler.PassiveClosingHandshake? = nil,
        closeTimeout: Duration = .seconds(300), pingInterval: Duration = .zero, heard: Heard,
        logged: String, client: @escaping @Sendable (TestClient) throws -> Void
    ) {
        testDescription = name
        self.handlerActs = handlerActs
        self.hook = hook
        self.closeTimeout = closeTimeout
        self.pingInterval = pingInterval
        self.client = client
        self.heard = heard
        self.logged = logged
    }

    var configuration: Configuration {
        var configuration = Configuration()
        configuration.connection.closeTimeout = closeTimeout
        configuration.connection.pingInterval = pingInterval
        configuration.connection.pingTimeout = .milliseconds(20)
        return configuration
    }

    func handler(_ signal: Signal<Heard>) -> WebSocketHandler {
        let acts = handlerActs
        return WebSocketHandler(
            transferData: { socket in
                var heard = Heard()
                if acts == .closesWith4001 { heard.close = try await socket.close(4001) }
                if acts == .aborts { await socket.abort() }
                heard.receive = await failure { () async throws(ConnectionError) in
                    while try await socket.receive() != nil {}
                }
                heard.send = await failure { () async throws(ConnectionError) in
                    try await socket.send("too late")
                }
                if acts != .closesWith4001 { heard.close = try await socket.close() }
                signal.send(heard)
            }, passiveClosingHandshake: hook)
    }
}

extension TestClient {
    /// The next event is this Close.
    fileprivate func mustSee(
        _ close: WebSocketProtocol.Close, sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        let event = try event()
        #expect(event == .close(close), sourceLocation: sourceLocation)
    }

    /// Nothing more comes, and TCP ends in order.
    fileprivate func mustEnd(sourceLocation: SourceLocation = #_sourceLocation) throws {
        let isClean = try endsCleanly()
        #expect(isClean, sourceLocation: sourceLocation)
    }

    /// TCP ends without a Close, be it in order or not.
    fileprivate func mustLose(sourceLocation: SourceLocation = #_sourceLocation) {
        #expect(throws: (any Error).self, sourceLocation: sourceLocation) { _ = try self.event() }
    }
}

@Suite("RFC 6455 §7 Each way to end: the wire, the handler, the log")
struct EndingTests {
    private static let lost = Heard(receive: .lost, send: .lost)
    private static func failed(_ error: ProtocolError) -> Heard {
        Heard(receive: .failed(error), send: .failed(error))
    }
    private static func closed(_ close: Close) -> Heard {
        Heard(send: .closed(close), close: close)
    }

    /// Ends of TCP that a client brings about.
    private static let clientEnds: [EndingRow] = [
        EndingRow(
            "the client closes", heard: closed(Close(3000, reason: "bye")), logged: "code=3000 "
        ) {
            try $0.sendClose(Close(3000, reason: "bye"))
            try $0.mustSee(Close(3000, reason: "bye"))
            try $0.mustEnd()
        },
        EndingRow("the client closes without a code", heard: closed(Close()), logged: "code=1005 ")
        {
            try $0.sendClose(Close())
            try $0.mustSee(Close())
            try $0.mustEnd()
        },
        EndingRow(
            "the client closes and ends its half at once", heard: closed(Close(3000)),
            logged: "code=3000 "
        ) {
            try $0.sendClose(Close(3000))
            $0.halfClose()
            try $0.mustSee(Close(3000))
            try $0.mustEnd()
        },
        EndingRow("the client ends its half without a Close", heard: lost, logged: "code=1006 ") {
            $0.halfClose()
            try $0.mustEnd()
        },
        EndingRow("the client ends its half inside a frame", heard: lost, logged: "code=1006 ") {
            try $0.write([0x82, 0xFE, 0x10])
            $0.halfClose()
            try $0.mustEnd()
        },
        EndingRow("the client resets TCP", heard: lost, logged: "code=1006 ") { $0.reset() },
        EndingRow(
            "the client answers no Ping", pingInterval: .milliseconds(10),
            heard: Heard(receive: .pingTimedOut, send: .pingTimedOut), logged: "code=1006 "
        ) { client in
            guard case .ping = try client.event() else { throw TestClientError.ended }
            client.mustLose()
        },
        EndingRow(
            "the client breaks the protocol", heard: failed(.reservedOpcode(3)),
            logged: "code=1002 "
        ) {
            try $0.write([0x83, 0x80, 0, 0, 0, 0])
            try $0.mustSee(Close(.protocolError, reason: "reserved opcode 3"))
            try $0.mustEnd()
        },
    ]

    /// The handler closes, and the client does this; or it aborts.
    private static let answers: [EndingRow] = [
        EndingRow("the handler aborts", handler: .aborts, heard: lost, logged: "code=1006 ") {
            $0.mustLose()
        },
        EndingRow(
            "answered", handler: .closesWith4001, heard: closed(Close(4001)), logged: "code=4001 "
        ) {
            try $0.mustSee(Close(4001))
            try $0.send("dropped")
            try $0.sendClose(Close(4001))
            try $0.mustEnd()
        },
        EndingRow(
            "both close at once", handler: .closesWith4001, heard: closed(Close(4000)),
            logged: "code=4000 "
        ) {
            // Its own Close is on its way before it looks at the server's.
            try $0.sendClose(Close(4000))
            try $0.mustSee(Close(4001))
            try $0.mustEnd()
        },
        EndingRow(
            "not answered", handler: .closesWith4001, closeTimeout: .milliseconds(20),
            heard: Heard(send: .closed(nil)), logged: "code=1006 (no answer to 4001) "
        ) {
            try $0.mustSee(Close(4001))
            try $0.mustEnd()
        },
        EndingRow(
            "answered with the end of TCP", handler: .closesWith4001, heard: lost,
            logged: "code=1006 "
        ) {
            try $0.mustSee(Close(4001))
            $0.halfClose()
            try $0.mustEnd()
        },
        EndingRow(
            "answered with a reset", handler: .closesWith4001, heard: lost, logged: "code=1006 "
        ) {
            try $0.mustSee(Close(4001))
            $0.reset()
        },
        EndingRow(
            "answered with a fault", handler: .closesWith4001, heard: failed(.reservedOpcode(3)),
            logged: "code=1002 "
        ) {
            try $0.mustSee(Close(4001))
            try $0.write([0x83, 0x80, 0, 0, 0, 0])
            try $0.mustEnd()
        },
    ]

    private struct Refused: Error {}

    /// passiveClosingHandshake, when it gives no answer.
    private static let hooks: [EndingRow] = [
        EndingRow(
            "passiveClosingHandshake throws", hook: { _ in throw Refused() },
            heard: Heard(receive: .lost, send: .lost, close: Close(3000)), logged: "code=1006 "
        ) { client in
            try client.sendClose(Close(3000))
            client.mustLose()
        },
        EndingRow(
            "passiveClosingHandshake takes too long",
            hook: { close in
                try await Task.sleep(for: .seconds(3_600))
                return close
            }, closeTimeout: .milliseconds(20),
            heard: Heard(send: .closed(nil), close: Close(3000)),
            logged: "code=1006 "
        ) { client in
            try client.sendClose(Close(3000))
            client.mustLose()
        },
    ]

    @Test("as docs/CLOSING.md says", arguments: clientEnds + answers + hooks)
    func ending(_ row: EndingRow) async throws {
        let log = try LogPipe()
        let heard = Signal<Heard>()
        var routes = Routes()
        routes.add("/test", row.handler(heard))
        let server = try TestServer(log: log.log, row.configuration, routes)
        defer {
            server.server.forceStop()
            server.server.waitUntilStopped()
        }
        let port = server.port
        try await onThread { try row.client(try TestClient(port)) }
        #expect(await heard.next() == row.heard)
        // The line is written before the handler hears of the end.
        let closes = log.lines().filter { $0.contains(" close /test ") }
        #expect(closes.count == 1 && closes.first?.contains(" " + row.logged) == true, "\(closes)")
    }

    @Test("a server that stops: 1001, and the handler hears of a Close like any other")
    func stopping() async throws {
        let log = try LogPipe()
        let heard = Signal<Heard>()
        let row = EndingRow("", heard: Self.closed(Close(.goingAway)), logged: "code=1001 ") { _ in
        }
        var routes = Routes()
        routes.add("/test", row.handler(heard))
        let server = try TestServer(log: log.log, row.configuration, routes)
        let port = server.port
        try await onThread {
            let client = try TestClient(port)
            server.server.stop()
            #expect(try client.event() == .close(Close(.goingAway)))
            try client.sendClose(Close(.goingAway))
            #expect(try client.endsCleanly())
        }
        // The client has ended TCP: else the server would wait for that.
        server.server.waitUntilStopped()
        let known = await heard.next()
        #expect(known?.receive == nil && known?.close == Close(.goingAway))
        // Sending may be refused before the client's answer has come.
        guard case .closed = known?.send else {
            Issue.record("\(known.map { "\($0)" } ?? "")")
            return
        }
        let closes = log.lines().filter { $0.contains(" close /test ") }
        #expect(closes.count == 1 && closes.first?.contains(" code=1001 ") == true, "\(closes)")
    }
}

/// A log whose lines a test reads.
final class LogPipe: Sendable {
    let log: Log
    private let reading: Int32
    private let writing: Int32

    init() throws {
        var ends: [Int32] = [0, 0]
        guard pipe(&ends) == 0, fcntl(ends[0], F_SETFL, O_NONBLOCK) == 0 else {
            throw TestClientError.system("pipe", errno)
        }
        (reading, writing) = (ends[0], ends[1])
        log = Log(level: .info, descriptor: ends[1])
    }

    deinit {
        close(reading)
        close(writing)
    }

    /// What was written so far and not read yet.
    func lines() -> [Substring] {
        var all: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 4_096)
        while true {
            let count = read(reading, &buffer, buffer.count)
            guard count > 0 else { break }
            all += buffer[..<count]
        }
        return String(decoding: all, as: UTF8.self).split(separator: "\n")
    }
}
