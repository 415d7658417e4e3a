import EventLoop
import Glibc
import HTTPProtocol
import Testing
import WebSocketHost
import WebSocketProtocol

/// What a server that is part of a program counts: there is no supervisor.
@Suite("Metrics of a server in a program")
struct ServerMetricsTests {
    /// The value of a sample by its name and labels; 0 if it is not there.
    private static func value(_ server: Server, _ sample: String) -> Double {
        let line = server.metrics().split(separator: "\n").first { $0.hasPrefix(sample + " ") }
        return line.flatMap { Double($0.dropFirst(sample.count + 1)) } ?? 0
    }

    /// Until a sample has this value: what is counted after the client knows of it.
    private static func wait(
        _ server: Server, _ sample: String, is expected: Double,
        _ location: SourceLocation = #_sourceLocation
    ) {
        let deadline = MonotonicTime.current() + .seconds(60)
        while value(server, sample) != expected && MonotonicTime.current() < deadline {
            usleep(2_000)
        }
        #expect(value(server, sample) == expected, "\(sample)", sourceLocation: location)
    }

    private static let echo = WebSocketHandler { socket in
        for try await message in socket { try await socket.send(message) }
    }

    @Test("each message, by route and direction, whatever its form")
    func messages() async throws {
        let test = try TestServer(Self.echo)
        let server = test.server
        try await test.run { port in
            let client = try TestClient(port)
            try client.send("12345")
            #expect(try client.text() == "12345")
            try client.send(.binary([UInt8](repeating: 7, count: 100_000)))
            _ = try client.message()
            try client.sendFragment(.text, Array("ab".utf8), isFinal: false)
            try client.sendFragment(.text, Array("cd".utf8), isFinal: true)
            #expect(try client.text() == "abcd")
            for direction in ["in", "out"] {
                let labels = #"{route="/test",direction="\#(direction)"}"#
                Self.wait(server, "websockethost_messages_total" + labels, is: 3)
                Self.wait(server, "websockethost_message_bytes_total" + labels, is: 100_009)
            }
            #expect(Self.value(server, #"websockethost_connections{route="/test"}"#) == 1)
            try client.sendClose(Close(.normalClosure))
            _ = try client.closeReceived()
            Self.wait(server, #"websockethost_connections{route="/test"}"#, is: 0)
            Self.wait(
                server, #"websockethost_closes_total{route="/test",code="1000",side="client"}"#,
                is: 1)
            Self.wait(server, "websockethost_connection_seconds_count", is: 1)
        }
    }

    @Test("the bytes of compressed messages are those of the messages")
    func compressed() async throws {
        let test = try TestServer(Self.echo)
        let server = test.server
        try await test.run { port in
            let offers = [ExtensionOffer("permessage-deflate")]
            let client = try TestClient(port, offering: offers)
            try client.compress(CompressionSettings())
            try client.send(String(repeating: "x", count: 10_000))
            #expect(try client.text().utf8.count == 10_000)
            for direction in ["in", "out"] {
                let labels = #"{route="/test",direction="\#(direction)"}"#
                Self.wait(server, "websockethost_message_bytes_total" + labels, is: 10_000)
            }
        }
    }

    @Test("pieces count as they come, the message at its end; what is skipped has no bytes")
    func pieces() async throws {
        let handler = WebSocketHandler { socket in
            while let message = try await socket.receiveInPieces() {
                var count = 0
                for try await piece in message.pieces {
                    count += piece.count
                    if piece.first == UInt8(ascii: "s") { break }
                }
                try await socket.send("\(count)")
            }
        }
        let test = try TestServer(handler)
        let server = test.server
        try await test.run { port in
            let client = try TestClient(port)
            try client.sendFragment(.binary, [1, 2, 3], isFinal: false)
            try client.sendFragment(.binary, [4, 5], isFinal: true)
            #expect(try client.text() == "5")
            Self.wait(
                server, #"websockethost_messages_total{route="/test",direction="in"}"#, is: 1)
            Self.wait(
                server, #"websockethost_message_bytes_total{route="/test",direction="in"}"#, is: 5)
        }
    }

    @Test("the time of pings is that of handlers' too, once for each")
    func pings() async throws {
        let handler = WebSocketHandler { socket in
            _ = try await socket.ping()
            try await socket.send("done")
            while try await socket.receive() != nil {}
        }
        let test = try TestServer(handler)
        let server = test.server
        try await test.run { port in
            let client = try TestClient(port)
            guard case .ping(let payload) = try client.event() else {
                Issue.record("no Ping")
                return
            }
            try client.pong(payload)
            #expect(try client.text() == "done")
            Self.wait(server, "websockethost_ping_seconds_count", is: 1)
            Self.wait(server, "websockethost_handshake_seconds_count", is: 1)
        }
    }

    @Test("a loop that a handler blocks shows in the lag")
    func lag() async throws {
        let handler = WebSocketHandler { socket in
            while try await socket.receive() != nil { usleep(1_500_000) }
        }
        let test = try TestServer(handler)
        let server = test.server
        try await test.run { port in
            let client = try TestClient(port)
            try client.send("block")
            let deadline = MonotonicTime.current() + .seconds(60)
            while Self.value(server, "websockethost_loop_lag_seconds") < 0.2
                && MonotonicTime.current() < deadline
            {
                usleep(10_000)
                try client.send("block")
            }
            #expect(Self.value(server, "websockethost_loop_lag_seconds") >= 0.2)
        }
    }

    @Test("what a client does not read is queued")
    func queued() async throws {
        let handler = WebSocketHandler { socket in
            try await socket.send([UInt8](repeating: 1, count: 12_000_000))
            while try await socket.receive() != nil {}
        }
        let test = try TestServer(handler)
        let server = test.server
        try await test.run { port in
            let client = try TestClient(port)
            let deadline = MonotonicTime.current() + .seconds(60)
            while Self.value(server, "websockethost_queued_bytes") < 1_000_000
                && MonotonicTime.current() < deadline
            {
                usleep(10_000)
            }
            #expect(Self.value(server, "websockethost_queued_bytes") >= 1_000_000)
            #expect(try client.message() == .binary([UInt8](repeating: 1, count: 12_000_000)))
            Self.wait(server, "websockethost_queued_bytes", is: 0)
        }
    }

    @Test("two servers of a program count apart; the server's own text has both forms")
    func apart() async throws {
        let (first, second) = (try TestServer(Self.echo), try TestServer(Self.echo))
        let other = second.server
        try await first.run { port in
            let client = try TestClient(port)
            try client.send("x")
            _ = try client.text()
            let sample = #"websockethost_messages_total{route="/test",direction="in"}"#
            #expect(Self.value(other, sample) == 0)
        }
        second.server.forceStop()
        second.server.waitUntilStopped()
        #expect(first.server.metrics(.openMetrics).hasSuffix("# EOF\n"))
        #expect(!first.server.metrics().contains("# EOF"))
    }
}
