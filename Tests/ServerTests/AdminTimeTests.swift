import EventLoop
import LoopTesting
import TestSupport
import Testing
import Topics

@testable import WebSocketHost

@Suite("How long the server's owner may take, on time that stands still")
struct AdminTimeTests {
    private struct Clock {
        let loop: RunningLoop

        func advance(by duration: Duration) throws {
            let isDone = Watched(false)
            try loop { [loop] in loop.loop.advance(by: duration) { isDone.set() } }
            try #require(isDone.wait())
        }
    }

    private func withListener(_ body: (Clock, _ path: String) throws -> Void) throws {
        Loop.ignoreBrokenPipes()
        let loop = RunningLoop(loop: try Loop(manualTime: ManualTime()))
        let thread = try loop.loop.start()
        defer {
            loop.loop.stop()
            thread.join()
        }
        let path = try TemporaryFiles.path()
        let socket = try ListeningSocket(at: try SocketAddress(path: path), backlog: 16)
        let listener = try loop {
            Unchecked(
                try AdminListener(
                    on: socket, loop: loop.loop, Configuration(), log: Log(level: .critical),
                    responders: [TopicsResponder(TopicBroker())]))
        }
        try body(Clock(loop: loop), path)
        try loop { listener.value.close() }
    }

    /// Until it was accepted and its request answered.
    private func connect(_ path: String) throws -> AdminClient {
        let client = try AdminClient(path)
        try client.send("GET /topics HTTP/1.1\r\nHost: a\r\n\r\n")
        #expect(try client.answer().status == 200)
        return client
    }

    @Test("an idle connection, and one whose head is not complete, is closed")
    func idle() throws {
        try withListener { clock, path in
            let idle = try connect(path)
            let slow = try connect(path)
            try clock.advance(by: AdminSettings().idleTimeout - .seconds(1))
            try slow.send("GET /topics HT")
            try slow.waitUntilRead()
            try idle.send("GET /topics HTTP/1.1\r\nHost: a\r\n\r\n")
            #expect(try idle.answer().status == 200)
            try clock.advance(by: .seconds(2))
            #expect(try slow.ends())
            try idle.send("GET /topics HTTP/1.1\r\nHost: a\r\n\r\n")
            #expect(try idle.answer().status == 200)
            try clock.advance(by: AdminSettings().idleTimeout + .seconds(1))
            #expect(try idle.ends())
        }
    }

    @Test("a body that does not come is answered with 408, and nothing is published")
    func body() throws {
        try withListener { clock, path in
            let client = try connect(path)
            try client.send("POST /topics/t HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nx")
            try client.waitUntilRead()
            try clock.advance(by: TopicPublishing.bodyTimeout - .seconds(1))
            try client.send("x")
            try client.waitUntilRead()
            try clock.advance(by: .seconds(2))
            #expect(try client.answer().status == 408)
            #expect(try client.ends())
        }
    }
}
