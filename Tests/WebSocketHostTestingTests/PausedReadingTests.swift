import Synchronization
import Testing
import WebSocketHostTesting

/// What becomes of clients while the handler does not receive, so that reading them is paused.
@Suite("Clients of a handler that does not receive")
struct PausedReadingTests {
    /// Receives nothing for a time, then takes a message each second, and the last ones at once:
    /// a handler outlives its connection by the close time-out only.
    private static func slow(
        _ received: Watched<[String]>, after delay: Duration = .seconds(3_600)
    ) -> WebSocketHandler {
        WebSocketHandler { socket in
            try await socket.sleep(for: delay)
            while let message = try await socket.receive() {
                if case .text(let text) = message { received.append(text) }
                if received.value.count < 64 { try await socket.sleep(for: .seconds(1)) }
            }
        }
    }

    final class Watched<Value: Sendable>: Sendable {
        fileprivate let stored: Mutex<Value>
        init(_ value: sending Value) { stored = Mutex(value) }
        var value: Value { stored.withLock { $0 } }
    }

    /// 100 messages: the inbox takes 64.
    ///
    /// - Parameter atOnce: whether the others are read too, and wait to be parsed.
    private func fill(_ client: TestClient, atOnce: Bool) async throws {
        let frames = all.map { [0x81, 0x80 | UInt8($0.utf8.count), 0, 0, 0, 0] + Array($0.utf8) }
        if atOnce { return try await client.unsafeSend(Array(frames.joined())) }
        for frame in frames { try await client.unsafeSend(frame) }
    }

    private let all = (0..<100).map { "\($0)" }

    @Test(
        "one that ends TCP is lost after the close time-out, and its handler cancelled",
        arguments: [false, true])
    func ends(atOnce: Bool) async throws {
        let host = try TestHost(Self.slow(Watched([])))
        let client = try await host.connect()
        try await fill(client, atOnce: atOnce)
        try await client.endSending()
        try await host.advance(by: .milliseconds(4_999))
        #expect(host.openConnectionCount == 1)
        try await host.advance(by: .milliseconds(1))
        try await client.receiveEnd()
        #expect(host.openConnectionCount == 0)
    }

    @Test("what it sent before its end is taken, however slowly", arguments: [false, true])
    func lastBytes(atOnce: Bool) async throws {
        let received = Watched<[String]>([])
        let host = try TestHost(Self.slow(received, after: .seconds(4)))
        let client = try await host.connect()
        try await fill(client, atOnce: atOnce)
        try await client.endSending()
        try await host.advance(by: .seconds(110))
        #expect(received.value == all)
        #expect(host.openConnectionCount == 0)
    }

    @Test("so is its Close, which is answered", arguments: [false, true])
    func lastClose(atOnce: Bool) async throws {
        let received = Watched<[String]>([])
        let host = try TestHost(Self.slow(received, after: .seconds(4)))
        let client = try await host.connect()
        try await fill(client, atOnce: atOnce)
        try await client.sendClose(4000)
        try await client.endSending()
        try await host.advance(by: .seconds(110))
        #expect(try await client.receiveClose() == Close(4000))
        #expect(received.value == all)
        #expect(host.openConnectionCount == 0)
    }

    @Test("one that answers no Ping is dropped after interval and time-out")
    func silent() async throws {
        let host = try TestHost(Self.slow(Watched([])), logLevel: .info)
        let client = try await host.connect(settings: TestClientSettings(answersPings: false))
        try await fill(client, atOnce: true)
        try await host.advance(by: .milliseconds(39_999))
        #expect(host.openConnectionCount == 1)
        try await host.advance(by: .milliseconds(1))
        _ = try await client.receivePing()
        try await client.receiveEnd()
        #expect(host.logLines.contains { $0.contains("ping time-out / ") })
    }

    @Test("one that answers, or whose bytes wait, stays for hours", arguments: [false, true])
    func alive(atOnce: Bool) async throws {
        let received = Watched<[String]>([])
        let host = try TestHost(Self.slow(received, after: .seconds(7_200)))
        let client = try await host.connect()
        try await fill(client, atOnce: atOnce)
        try await host.advance(by: .seconds(7_310))
        #expect(received.value == all)
        #expect(host.openConnectionCount == 1)
        try await client.close()
    }
}

extension PausedReadingTests.Watched where Value == [String] {
    func append(_ text: String) { stored.withLock { $0.append(text) } }
}
