import Testing
import WebSocketHostTesting
import abort_handshake_wsh
import abort_wsh
import close_wsh
import cookie_wsh
import echo_noext_wsh
import echo_wsh
import hsts_wsh
import internal_error_wsh
import origin_check_wsh
import print_wsh
import say_wsh
import suffix_wsh

@Suite("Shipped handlers: one connection")
struct EchoTests {
    @Test(
        "what is sent comes back, and Goodbye ends it",
        arguments: [echo_wsh.handler, echo_noext_wsh.handler])
    func echo(_ handler: WebSocketHandler) async throws {
        let client = try await TestHost(handler).connect()
        try await client.send("Grüße")
        try await client.send([0, 1, 255])
        try await client.send("", end: false)
        try await client.send("Goodbye", end: true)
        #expect(try await client.receive() == .text("Grüße"))
        #expect(try await client.receive() == .binary([0, 1, 255]))
        #expect(try await client.receive() == .text("Goodbye"))
        #expect(try await client.receiveClose() == Close(.normalClosure))
        try await client.receiveEnd()
    }

    @Test("echo compresses where it is offered, echo_noext never does")
    func compression() async throws {
        let host = try TestHost(["/echo": echo_wsh.handler, "/noext": echo_noext_wsh.handler])
        let settings = TestClientSettings(compression: CompressionSettings())
        let text = String(repeating: "again and ", count: 1_000)
        for (path, isCompressed) in [("/echo", true), ("/noext", false)] {
            let client = try await host.connect(path, settings: settings)
            #expect((client.compression != nil) == isCompressed)
            #expect(client.responseFields.contains("Sec-WebSocket-Extensions") == isCompressed)
            try await client.send(text)
            #expect(try await client.receive() == .text(text))
        }
    }

    @Test("say speaks first")
    func say() async throws {
        let client = try await TestHost(say_wsh.handler).connect()
        #expect(try await client.receive() == .text("You are connected"))
        try await client.send("hello")
        #expect(try await client.receive() == .text("You said hello"))
        try await client.send([UInt8](repeating: 7, count: 126))
        #expect(try await client.receive() == .text("You said 126 bytes"))
    }

    @Test("suffix appends what is not ASCII")
    func suffix() async throws {
        let client = try await TestHost(suffix_wsh.handler).connect()
        try await client.send("Guten Tag")
        #expect(try await client.receive() == .text("Guten Tag – grüße, 世界 🌍"))
    }

    @Test("print answers nothing")
    func print() async throws {
        let client = try await TestHost(print_wsh.handler).connect()
        try await client.receiveNothing()
        #expect(try await client.close(3000) == Close(3000))
    }
}

@Suite("Shipped handlers: closing")
struct CloseTests {
    @Test(
        "close closes as it is told",
        arguments: [
            ("3000 had enough", Close(3000, reason: "had enough")), ("1001", Close(.goingAway)),
            ("4999 so long, and thanks", Close(4999, reason: "so long, and thanks")),
        ])
    func asTold(_ line: String, _ close: Close) async throws {
        let client = try await TestHost(close_wsh.handler).connect()
        try await client.send(line)
        #expect(try await client.receiveClose() == close)
        try await client.receiveEnd()
    }

    @Test(
        "a code that must not be sent becomes 1011",
        arguments: ["1005", "1006 x", "1015", "0", "65535"])
    func forbidden(_ line: String) async throws {
        let host = try TestHost(close_wsh.handler)
        let client = try await host.connect()
        try await client.send(line)
        #expect(try await client.receiveClose().code == .internalError)
        #expect(host.logLines.contains { $0.contains("the handler threw") })
    }

    @Test("close explains itself, and gives the client's code back")
    func passive() async throws {
        let client = try await TestHost(close_wsh.handler).connect()
        try await client.send("what?")
        #expect(
            try await client.receive() == .text("Send CODE REASON, for example: 3000 had enough"))
        #expect(try await client.close(4001, reason: "so long") == Close(4001, reason: "so long"))
    }

    @Test("abort ends TCP without a Close")
    func abort() async throws {
        let client = try await TestHost(abort_wsh.handler).connect()
        try await client.receiveEnd()
    }

    @Test("internal_error closes with 1011 and is logged")
    func internalError() async throws {
        let host = try TestHost(internal_error_wsh.handler, at: "/internal_error")
        let client = try await host.connect()
        #expect(try await client.receiveClose() == Close(.internalError))
        #expect(host.logLines.count == 1)
        #expect(host.logLines.first?.contains("/internal_error") == true)
        #expect(host.logLines.first?.contains("NotToday()") == true)
    }
}

@Suite("Shipped handlers: handshakes")
struct HandshakeTests {
    @Test("abort_handshake answers nothing")
    func abort() async throws {
        let host = try TestHost(abort_handshake_wsh.handler)
        await #expect(throws: TestRejection.aborted) { try await host.connect() }
    }

    @Test(
        "cookie sets what the query asks for",
        arguments: [
            ("?set", ["foo=bar; Max-Age=86400"]),
            ("?set_httponly", ["httpOnlyFoo=bar; Max-Age=86400; HttpOnly"]),
            ("?clear", ["foo=0; Max-Age=0", "httpOnlyFoo=0; Max-Age=0; HttpOnly"]), ("", []),
        ])
    func cookie(_ query: String, _ cookies: [String]) async throws {
        let client = try await TestHost(cookie_wsh.handler, at: "/cookie").connect(query)
        #expect(client.responseFields.values(of: "Set-Cookie").map { "\($0)" } == cookies)
        #expect(try await client.receiveClose() == Close(.normalClosure))
    }

    @Test("hsts adds its field")
    func hsts() async throws {
        let client = try await TestHost(hsts_wsh.handler).connect()
        #expect(client.responseFields["Strict-Transport-Security"] == "max-age=86400")
        #expect(try await client.receive() == .text("Hello"))
    }

    @Test(
        "origin_check lets one origin in",
        arguments: [nil, "https://example.com", "http://example.com:80"])
    func wrongOrigin(_ origin: String?) async throws {
        let host = try TestHost(origin_check_wsh.handler)
        let rejection = await #expect(throws: TestRejection.self) {
            try await host.connect(origin: origin)
        }
        #expect(rejection?.status == .forbidden)
        #expect(rejection?.body == "Only for pages of http://example.com.\n")
        let client = try await host.connect(origin: "http://example.com")
        try await client.send("in")
        #expect(try await client.receive() == .text("in"))
    }
}
