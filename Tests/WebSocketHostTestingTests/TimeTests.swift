import Synchronization
import Testing
import WebSocketHostTesting

@Suite("The test kit: time")
struct TimeTests {
    @Test("silence brings a Ping, an answer keeps the connection for days")
    func pings() async throws {
        let host = try TestHost(echo)
        let client = try await host.connect()
        try await host.advance(by: .milliseconds(19_999))
        try await client.receiveNothing()
        try await host.advance(by: .milliseconds(1))
        #expect(try await client.receivePing() == Array("keep-alive".utf8))
        try await host.advance(by: .seconds(86_400))
        try await client.send("still here?")
        #expect(try await client.receive() == .text("still here?"))
    }

    @Test("a client that answers no Ping is dropped after the ping time-out")
    func pingTimeout() async throws {
        let host = try TestHost(echo)
        let client = try await host.connect(settings: TestClientSettings(answersPings: false))
        try await host.advance(by: .seconds(20))
        _ = try await client.receivePing()
        try await host.advance(by: .milliseconds(19_999))
        #expect(host.openConnectionCount == 1)
        try await host.advance(by: .milliseconds(1))
        try await client.receiveEnd()
        #expect(host.openConnectionCount == 0)
    }

    @Test(
        "sleep, receive(timeout:), ping() and now go by the host's clock, in order of their ends"
    )
    func handlersWaits() async throws {
        let handler = WebSocketHandler { socket in
            let start = socket.now
            try await withThrowingTaskGroup(of: Void.self) { group in
                for seconds in [3, 1, 2] {
                    group.addTask {
                        try await socket.sleep(for: .seconds(seconds))
                        let passed = start.duration(to: socket.now).components.seconds
                        try await socket.send("\(seconds) after \(passed) s")
                    }
                }
                try await group.waitForAll()
            }
            do {
                _ = try await socket.receive(timeout: .seconds(3_600))
            } catch ConnectionError.timedOut {
                try await socket.send("\(start.duration(to: socket.now).components.seconds) s")
            }
            try await socket.send("\(try await socket.ping([1]).components.seconds) s")
        }
        let host = try TestHost(handler)
        let client = try await host.connect(settings: TestClientSettings(answersPings: false))
        try await host.advance(by: .seconds(1))
        #expect(try await client.receive() == .text("1 after 1 s"))
        try await client.receiveNothing()
        try await host.advance(by: .seconds(2))
        #expect(try await client.receive() == .text("2 after 2 s"))
        #expect(try await client.receive() == .text("3 after 3 s"))
        for _ in 0..<240 {
            try await host.advance(by: .seconds(15))
            try await client.pong()
        }
        #expect(try await client.receive() == .text("3603 s"))
        try await host.advance(by: .seconds(5))
        try await client.pong([1])
        #expect(try await client.receive() == .text("5 s"))
    }

    @Test("the end of the connection ends a sleep, and so does cancelling")
    func sleepEnds() async throws {
        let ends = Mutex<[String]>([])
        let handler = WebSocketHandler { socket in
            let cancelled = Task { try await socket.sleep(for: .seconds(9)) }
            cancelled.cancel()
            let result = await cancelled.result
            ends.withLock { $0.append("\(result)") }
            do {
                try await socket.sleep(for: .seconds(3_600))
            } catch {
                ends.withLock { $0.append("\(error)") }
                throw error
            }
        }
        let host = try TestHost(handler)
        let client = try await host.connect()
        try await client.send("a message that is not taken")
        try await host.settle()
        while ends.withLock(\.isEmpty) { await Task.yield() }
        try await client.sendClose(4000)
        // The handler may be answering something: it has a second.
        try await host.advance(by: .seconds(1))
        #expect(try await client.receiveClose() == Close(4000))
        #expect(ends.withLock { $0.last } == "the connection is closed (4000)")
        #expect(ends.withLock { $0.first }?.contains("cancelled") == true)
        #expect(host.logLines == [] && host.openConnectionCount == 0)
    }

    @Test("a client that does not answer our Close is not waited for for ever")
    func closeTimeout() async throws {
        let handler = WebSocketHandler { _ in }
        let host = try TestHost(handler)
        let client = try await host.connect(settings: TestClientSettings(answersClose: false))
        #expect(try await client.receiveClose() == Close(.normalClosure))
        try await host.advance(by: .milliseconds(4_999))
        try await client.receiveNothing()
        try await host.advance(by: .milliseconds(1))
        try await client.receiveEnd()
    }

    @Test("no whole request within the handshake time-out, nothing for the next one either")
    func idleExchange() async throws {
        let host = try TestHost(echo)
        _ = await #expect(throws: TestRejection.self) { try await host.connect("/nowhere") }
        try await host.advance(by: .seconds(10))
        #expect(host.openConnectionCount == 0)
    }

    @Test("stopping closes with 1001, and drops after the drain time-out")
    func stop() async throws {
        let host = try TestHost(echo)
        let polite = try await host.connect()
        let deaf = try await host.connect(settings: TestClientSettings(answersClose: false))
        try await host.stop()
        #expect(try await polite.receiveClose() == Close(.goingAway))
        try await polite.receiveEnd()
        #expect(try await deaf.receiveClose() == Close(.goingAway))
        #expect(host.openConnectionCount == 1)
        try await host.advance(by: .seconds(10))
        try await deaf.receiveEnd()
        #expect(host.openConnectionCount == 0)
    }
}
