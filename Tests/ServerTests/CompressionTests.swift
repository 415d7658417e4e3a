import HTTPProtocol
import Testing
import WebSocketHost
import WebSocketProtocol

@Suite("permessage-deflate over a real socket (RFC 7692)")
struct CompressionTests {
    @Test("the switches: the route's, the handshake's, the message's, the threshold")
    func switches() async throws {
        let text = String(repeating: "abc ", count: 30)
        let handler = WebSocketHandler(
            doExtraHandshake: { request in
                request.allowsCompression = request.query["off"] == nil
            },
            transferData: { socket in
                try await socket.send(text)
                try await socket.send(text, compress: false)
                try await socket.send("short")
            })
        var configuration = Configuration()
        configuration.connection.compression.thresholdByteCount = 6
        configuration.connection.closeTimeout = .milliseconds(50)
        var routes = Routes()
        routes.add("/on", handler)
        routes.add(
            "/off", WebSocketHandler(compression: .off) { socket in try await socket.send(text) })
        try await TestServer(configuration, routes).run { port in
            for (target, isCompressed) in [("/on", true), ("/on?off=1", false), ("/off", false)] {
                let client = try TestClient(
                    port, target, offering: [ExtensionOffer("permessage-deflate")])
                let answer = client.answer.fields["Sec-WebSocket-Extensions"]
                #expect((answer != nil) == isCompressed, "\(target): \(answer ?? "")")
                let expected: [UInt8] =
                    isCompressed ? [0xC1, 0x81, 0x81, 0x88] : [0x81, 0x81, 0x81, 0x88]
                let frames = Self.frames(try client.readToEnd())
                #expect(
                    frames.map(\.first).starts(with: expected.prefix(target == "/off" ? 1 : 4)),
                    "\(target)")
                #expect((frames[0].byteCount < 40) == isCompressed, "\(target)")
            }
        }
    }

    /// What the hook sets, what the client offers, and what is answered (RFC 7692 §7.1.2).
    static let windows: [(bits: Int?, offer: String, answer: String)] = [
        (nil, "client_max_window_bits", "server_max_window_bits=12; client_max_window_bits=12"),
        (10, "client_max_window_bits", "server_max_window_bits=10; client_max_window_bits=10"),
        (14, "client_max_window_bits=9", "server_max_window_bits=12; client_max_window_bits=9"),
        (1, "client_max_window_bits", "server_max_window_bits=9; client_max_window_bits=9"),
        (
            10, "server_no_context_takeover",
            "server_no_context_takeover; client_no_context_takeover; server_max_window_bits=10"
        ),
    ]

    @Test("the handshake's own window: smaller than the route's, never larger", arguments: windows)
    func window(_ bits: Int?, _ offer: String, _ answer: String) async throws {
        let handler = WebSocketHandler(
            doExtraHandshake: { request in request.compressionWindowBits = bits },
            transferData: { socket in
                for try await message in socket { try await socket.send(message) }
            })
        var configuration = Configuration()
        configuration.connection.compression.mode = .dedicated
        configuration.connection.compression.windowBits = 12
        let settings = configuration.connection.compression
        try await TestServer(configuration, handler).run { port in
            let offers = try #require(ExtensionOffer.parse("permessage-deflate; \(offer)"))
            let client = try TestClient(port, offering: offers)
            #expect(
                client.answer.fields["Sec-WebSocket-Extensions"] == "permessage-deflate; \(answer)")
            try client.compress(settings, offered: offers)
            // Longer than any of the windows, and it repeats itself far back.
            let block = String(
                (0..<2_000).map { Character(UnicodeScalar(UInt8(97 + $0 * $0 % 26))) })
            let text = block + block + block
            try client.send(text)
            #expect(try client.text() == text)
            try client.send(text)
            #expect(try client.text() == text)
        }
    }

    /// The first byte of each short frame from a server, and how long its payload is.
    private static func frames(_ bytes: [UInt8]) -> [(first: UInt8, byteCount: UInt8)] {
        var result: [(UInt8, UInt8)] = []
        var rest = bytes[...]
        while let first = rest.popFirst(), let length = rest.popFirst(), length < 126 {
            result.append((first, length))
            rest = rest.dropFirst(Int(length))
        }
        return result
    }

    @Test("context that is kept outlives the buffers that are given back")
    func idle() async throws {
        let handler = WebSocketHandler { socket in
            for try await message in socket { try await socket.send(message) }
        }
        var configuration = Configuration()
        configuration.connection.compression.mode = .dedicated
        configuration.connection.compression.thresholdByteCount = 0
        configuration.connection.compressionIdleTimeout = .milliseconds(1)
        try await TestServer(configuration, handler).run { port in
            let client = try TestClient(port, offering: [ExtensionOffer("permessage-deflate")])
            try client.compress(CompressionSettings())
            for number in 0..<200 {
                let text = "the same words again, number \(number % 3)"
                try client.send(text)
                #expect(try client.text() == text)
            }
        }
    }
}
