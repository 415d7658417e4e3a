import Testing
import WebSocketHostTesting

@Suite("Errors that say how the connection ends")
struct ClosingErrorTests {
    struct Failure: ClosingError {
        let close: Close
    }

    private func end(_ close: Close) async throws -> (close: Close?, lines: [String]) {
        let host = try TestHost(
            WebSocketHandler { _ in throw Failure(close: close) }, logLevel: .info)
        let client = try await host.connect()
        let received = try await client.receiveClose()
        return (received, host.logLines)
    }

    @Test(
        "The Close is sent, and the line is one about the peer",
        arguments: [
            Close(4004, reason: "no such room"), Close(1003), Close(),
            Close(1008, cutting: String(repeating: "🌍", count: 100)),
        ])
    func named(close: Close) async throws {
        let (received, lines) = try await end(close)
        #expect(received == close)
        #expect(lines.contains { $0.contains(" failed / ") })
        #expect(!lines.contains { $0.contains("the handler threw") })
    }

    @Test(
        "What must not be sent becomes 1011, and is the handler's fault, as 1011 itself",
        arguments: [
            Close(1011), Close(1005), Close(999), Close(nil, reason: "why"),
            Close(1000, reason: String(repeating: "x", count: 124)),
        ])
    func unsendable(close: Close) async throws {
        let (received, lines) = try await end(close)
        #expect(received == Close(.internalError))
        #expect(lines.contains { $0.contains("the handler threw Failure(") })
    }

    @Test("After the client's Close nothing is sent")
    func tooLate() async throws {
        let host = try TestHost(
            WebSocketHandler { socket in
                while try await socket.receive() != nil {}
                throw Failure(close: Close(4004))
            })
        let client = try await host.connect()
        #expect(try await client.close(4001) == Close(4001))
    }
}
