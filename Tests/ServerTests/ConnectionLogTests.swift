import Foundation
import TestSupport
import Testing
import WebSocketHost
import WebSocketProtocol

@Suite("The log for handlers")
struct ConnectionLogTests {
    private static let handler = WebSocketHandler(
        doExtraHandshake: { request in request.log(.warning, "asks for \(request.target)") },
        transferData: { socket in try await talk(socket) })

    private static func talk(_ socket: WebSocket) async throws {
        #expect(socket.log.isEnabled(.info) && !socket.log.isEnabled(.debug))
        socket.log(.debug, unwanted())
        for try await case .text(let text) in socket { socket.log(.info, "said \(text)") }
    }

    private static func unwanted() -> String {
        Issue.record("made, but not written")
        return ""
    }

    /// What a client that says `text` makes the handler log: the lines of the handler alone, behind
    /// the time.
    private func lines(_ format: LogFormat, saying text: String) async throws -> [String] {
        let path = try TemporaryFiles.path(".log")
        var settings = LogSettings()
        settings.format = format
        var routes = Routes()
        routes.add("/a b", Self.handler)
        let server = try TestServer(log: Log(settings, path: path), Configuration(), routes)
        try await server.run { port in
            let client = try TestClient(port, "/a%20b?x=%0Ay")
            try client.send(text)
            try client.sendClose()
            _ = try client.closeReceived()
        }
        let all = try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n").map(
            String.init)
        return all.filter { $0.contains("asks for") || $0.contains("said") }
    }

    @Test("text: route, address and number in front; no line can be forged")
    func text() async throws {
        let lines = try await lines(.text, saying: "hi\n2026-01-01 00:00:00.000 info forged")
        try #require(lines.count == 2, "\(lines)")
        #expect(lines[0].contains(#/ warning /a b 127\.0\.0\.1:\d+: asks for /a%20b\?x=%0Ay$/#))
        #expect(
            lines[1].contains(
                #/ info /a b 127\.0\.0\.1:\d+ #\d+: said hi\\n2026-01-01 00:00:00.000 info forged$/#
            ))
    }

    @Test("JSON: the same as members")
    func json() async throws {
        let lines = try await lines(.json, saying: "\u{1B}")
        try #require(lines.count == 2, "\(lines)")
        let objects = try lines.map { line in
            try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
        }
        #expect(objects.map { $0["event"] as? String } == ["handler", "handler"])
        #expect(objects.map { $0["level"] as? String } == ["warning", "info"])
        #expect(objects.map { $0["route"] as? String } == ["/a b", "/a b"])
        #expect(
            objects.map { $0["message"] as? String } == ["asks for /a%20b?x=%0Ay", "said \\u{1B}"])
        #expect(objects[0]["connection"] == nil && objects[1]["connection"] as? Int != nil)
        #expect((objects[1]["peer"] as? String)?.hasPrefix("127.0.0.1:") == true)
    }

    @Test("a client's long text is cut")
    func long() async throws {
        let text = String(repeating: "x", count: 5_000)
        let line = try #require(try await lines(.text, saying: text).last)
        #expect(line.hasSuffix("… (5005 characters)") && line.utf8.count < 1_200)
    }
}
