import Glibc
import Synchronization
import Testing
import WebSocketHostTesting

/// The sentences that a failing test shows. Each row: what the client sends, what the test expects
/// then.
@Suite("The test kit: failures report what happened instead")
struct FailureTests {
    /// Does what the message asks for.
    static let obedient = WebSocketHandler { socket in
        for try await case .text(let text) in socket {
            switch text {
            case "text": try await socket.send("one\ntwo")
            case "binary": try await socket.send([0xFF, 1])
            case "close": try await socket.close(4000, reason: "so long")
            case "throw": throw CancellationError()
            case "abort": await socket.abort()
            case "break": try await socket.unsafeWrite([0xFF, 0xFF])
            case "wait": try await socket.sleep(for: .seconds(3))
            default: break
            }
        }
    }

    enum Expectation { case message, close, end, ping, pong, nothing, closing, sending }

    @Test(
        "in a sentence",
        arguments: [
            ("close", .message, #"expected a message, but the server closed with 4000 "so long""#),
            (
                "throw", .message,
                "expected a message, but the server closed with 1011; the last log line: "
            ),
            ("abort", .message, "expected a message, but TCP ended without a Close (1006)"),
            ("break", .message, "expected a message, but the server broke the protocol: "),
            ("text", .close, #"expected a Close, but the server sent text "one\ntwo""#),
            ("binary", .end, #"expected the end of TCP, but the server sent 2 bytes: ["ff", "1"]"#),
            ("abort", .ping, "expected a Ping, but the connection has ended"),
            ("abort", .pong, "expected a Pong, but the connection has ended"),
            ("text", .nothing, #"expected nothing, but the server sent text "one\ntwo""#),
            ("abort", .closing, "cannot send a Close: the server has ended the connection"),
            ("abort", .sending, "cannot send: the server has ended the connection"),
            ("close", .sending, "cannot send: "),
        ] as [(String, Expectation, String)])
    func sentences(_ word: String, _ expectation: Expectation, _ sentence: String) async throws {
        let client = try await TestHost(Self.obedient).connect()
        try await client.send(word)
        let failure = await #expect(throws: TestFailure.self) {
            switch expectation {
            case .message: _ = try await client.receive()
            case .close: _ = try await client.receiveClose()
            case .end: try await client.receiveEnd()
            case .ping: _ = try await client.receivePing()
            case .pong: _ = try await client.receivePong()
            case .nothing: try await client.receiveNothing()
            case .closing: try await client.close()
            case .sending: try await client.send("more")
            }
        }
        #expect(failure?.reason.hasPrefix(sentence) == true, "\(failure?.reason ?? "")")
        #expect(failure?.place.hasPrefix("WebSocketHostTestingTests/FailureTests.swift:") == true)
    }

    @Test("when nothing comes, the next timer is named")
    func nothingComes() async throws {
        let host = try TestHost(Self.obedient, patience: .milliseconds(20))
        let client = try await host.connect()
        try await client.send("wait")
        let failure = await #expect(throws: TestFailure.self) { try await client.receive() }
        #expect(
            failure?.reason
                == "expected a message, but nothing came: the handler waits, or never rests "
                + "(the next timer fires in 3.0 s, and advance(by:) moves the clock)")
        try await host.advance(by: .seconds(3))
        try await client.send("text")
        #expect(try await client.receive() == .text("one\ntwo"))
    }

    @Test("a handler that never rests is named too")
    func neverRests() async throws {
        let handler = WebSocketHandler { socket in
            while true {
                do {
                    _ = try await socket.receive(timeout: .zero)
                } catch ConnectionError.timedOut {}
            }
        }
        let host = try TestHost(handler, patience: .milliseconds(50))
        let failure = await #expect(throws: TestFailure.self) { try await host.connect() }
        #expect(failure?.reason.contains("never rests") == true)
    }

    @Test("a handler that blocks its thread is named too")
    func blocks() async throws {
        let isReleased = Atomic<Bool>(false)
        let handler = WebSocketHandler { socket in
            _ = try await socket.receive()
            while !isReleased.load(ordering: .relaxed) { sched_yield() }
        }
        let host = try TestHost(handler, patience: .milliseconds(50))
        let client = try await host.connect()
        let failure = await #expect(throws: TestFailure.self) { try await client.send("block") }
        isReleased.store(true, ordering: .relaxed)
        #expect(failure?.reason == "a handler has kept its thread for 0.05 seconds: use await")
    }
}
