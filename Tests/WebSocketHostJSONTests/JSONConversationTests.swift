import Testing
import WebSocketHost
import WebSocketHostJSON
import WebSocketHostTesting

@Suite("JSON in a conversation")
struct JSONConversationTests {
    struct Point: Codable, Equatable { var x: Int }

    private let adds = WebSocketHandler { socket in
        for try await point in socket.messages(as: Point.self) {
            try await socket.send(json: Point(x: point.x + 1))
        }
    }

    @Test("Values come and go")
    func values() async throws {
        let host = try TestHost(adds)
        let client = try await host.connect()
        try await client.send("{\"x\":1}")
        #expect(try await client.receive() == .text("{\"x\":2}"))
        try await client.send(Array("{\"x\":2}".utf8))
        #expect(try await client.receive().decode(Point.self) == Point(x: 3))
        #expect(try await client.close() == Close(.normalClosure))
    }

    @Test(
        "An error that leaves the handler: the Close, and the line of the log",
        arguments: [
            ("{\"x\":", 1007, ". (byte 5): expected a value, found the end"),
            ("{\"x\":\"1\"}", 1003, ".x (byte 5): expected a whole number, found a string"),
        ])
    func closes(text: String, code: UInt16, words: String) async throws {
        let host = try TestHost(adds, logLevel: .info)
        let client = try await host.connect()
        try await client.send(text)
        #expect(try await client.receiveClose() == Close(CloseCode(rawValue: code), reason: words))
        let line = host.logLines.first { $0.contains(" failed / ") }
        #expect(line?.contains(words) == true)
        #expect(!host.logLines.contains { $0.contains("the handler threw") })
    }

    @Test("A long description is cut for the client, at a character's end")
    func longReason() async throws {
        let host = try TestHost(
            WebSocketHandler { socket in
                _ = try await socket.receive()?.decode([String: Int].self)
            })
        let client = try await host.connect()
        let key = String(repeating: "é", count: 100)
        try await client.send("{\"\(key)\":true}")
        let close = try await client.receiveClose()
        #expect(close.code == .unsupportedData)
        #expect(close.reason == "." + String(repeating: "é", count: 59) + "…")
    }

    @Test("What cannot be encoded is the handler's fault, and nothing was sent")
    func notEncodable() async throws {
        let host = try TestHost(
            WebSocketHandler { socket in try await socket.send(json: [Double.nan]) })
        let client = try await host.connect()
        #expect(try await client.receiveClose() == Close(.internalError))
        #expect(host.logLines.contains { $0.contains("the handler threw [0]: expected") })
    }

    @Test("Published as JSON by a connection, by the server's topics, by a feed")
    func publishing() async throws {
        let host = try TestHost(
            WebSocketHandler(
                feed: { serving in
                    try await serving.sleep(for: .seconds(1))
                    try serving.publish(json: Point(x: 3), to: "points")
                },
                transferData: { socket in
                    try await socket.subscribe(to: "points")
                    for try await point in socket.messages(as: Point.self) {
                        try socket.publish(json: point, to: "points")
                        try socket.topics.publish(json: Point(x: 2), to: "points")
                    }
                }))
        let one = try await host.connect()
        let two = try await host.connect()
        try await one.send("{\"x\":1}")
        #expect(try await one.receive() == .text("{\"x\":2}"))
        #expect(try await two.receive() == .text("{\"x\":1}"))
        #expect(try await two.receive() == .text("{\"x\":2}"))
        try await host.advance(by: .seconds(1))
        #expect(try await one.receive() == .text("{\"x\":3}"))
    }

    @Test("A recursive type at the limit fits the stack of a loop's thread")
    func stack() async throws {
        let host = try TestHost(
            WebSocketHandler { socket in
                for try await _ in socket.messages(as: Value.self) { try await socket.send("ok") }
            })
        let client = try await host.connect()
        let depth = JSONError.depthLimit
        try await client.send(
            String(repeating: "[", count: depth) + String(repeating: "]", count: depth))
        #expect(try await client.receive() == .text("ok"))
        try await client.send(String(repeating: "[", count: 1_000_000))
        #expect(try await client.receiveClose().code == .invalidFramePayloadData)
    }
}
