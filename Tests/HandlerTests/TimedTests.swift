import Testing
import WebSocketHostTesting
import bench_wsh
import benchmark_helper_wsh
import hello_wsh

@Suite("Shipped handlers: those that wait")
struct TimedTests {
    @Test("hello says it at once and every ten seconds")
    func hello() async throws {
        let host = try TestHost(hello_wsh.handler)
        let client = try await host.connect()
        #expect(try await client.receive() == .text("hello world"))
        for _ in 0..<3 {
            try await host.advance(by: .milliseconds(9_999))
            try await client.receiveNothing()
            try await host.advance(by: .milliseconds(1))
            #expect(try await client.receive() == .text("hello world"))
        }
        #expect(try await client.close() == Close(.normalClosure))
    }

    @Test("what the client says does not put hello off")
    func helloInterrupted() async throws {
        let host = try TestHost(hello_wsh.handler, at: "/hello")
        let client = try await host.connect("?seconds=2")
        #expect(try await client.receive() == .text("hello world"))
        try await host.advance(by: .milliseconds(1_500))
        try await client.send("what time is it?")
        try await client.receiveNothing()
        try await host.advance(by: .milliseconds(500))
        #expect(try await client.receive() == .text("hello world"))
    }

    @Test("a second of hello is a second", arguments: ["nonsense", "0", "3601", "-1"])
    func helloDefault(_ seconds: String) async throws {
        let host = try TestHost(hello_wsh.handler)
        let client = try await host.connect("?seconds=\(seconds)")
        #expect(try await client.receive() == .text("hello world"))
        try await host.advance(by: .seconds(10))
        #expect(try await client.receive() == .text("hello world"))
    }

    @Test("bench sends as often as it is told, a pause between any two")
    func bench() async throws {
        let host = try TestHost(bench_wsh.handler)
        let client = try await host.connect()
        try await client.send("60 3 tick tock")
        for number in 0..<3 {
            if number > 0 {
                try await client.receiveNothing()
                try await host.advance(by: .seconds(60))
            }
            #expect(try await client.receive() == .text("tick tock"))
        }
        try await client.send("0 1000 x")
        for _ in 0..<1_000 { #expect(try await client.receive() == .text("x")) }
        try await client.send("3601 1 x")
        #expect(
            try await client.receive()
                == .text("Send SECONDS COUNT MESSAGE, for example: 0.5 10 hello"))
    }

    @Test("bench ends with its client, not with its pause")
    func benchEnds() async throws {
        let host = try TestHost(bench_wsh.handler)
        let client = try await host.connect()
        try await client.send("3600 2 tick")
        #expect(try await client.receive() == .text("tick"))
        try await client.drop()
        #expect(host.openConnectionCount == 0)
        #expect(host.logLines == [])
    }

    @Test(
        "benchmark_helper counts and sends",
        arguments: [
            ("receive 65536", [], .binary([UInt8](repeating: 0x61, count: 65_536))),
            ("send 0", [.binary([1, 2, 3])], .text("3")), ("send 1", [.text("aaaa")], .text("4")),
            ("send 1", [.text("aab")], .text("The bytes are not all the same.")),
            ("send 2", [], .text("Send 'receive BYTES', or 'send 0' (or 1) and then a message.")),
        ] as [(String, [Message], Message)])
    func benchmark(_ command: String, _ messages: [Message], _ answer: Message) async throws {
        let client = try await TestHost(benchmark_helper_wsh.handler).connect()
        try await client.send(command)
        for message in messages { try await client.send(message) }
        #expect(try await client.receive() == answer)
    }
}
