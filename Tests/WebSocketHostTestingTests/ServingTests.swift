import Synchronization
import Testing
import WebSocketHostTesting

/// What hooks did, in order.
final class Notes: Sendable {
    private let texts = Mutex<[String]>([])
    var all: [String] { texts.withLock { $0 } }
    func add(_ text: String) { texts.withLock { $0.append(text) } }
    func takeAll() -> [String] {
        texts.withLock { texts in
            defer { texts = [] }
            return texts
        }
    }
}

struct Oops: Error {}

@Suite("What lives with a handler", .timeLimit(.minutes(5)))
struct ServingTests {
    private static let listen: WebSocketHandler.TransferData = { socket in
        try await socket.subscribe(to: "clock")
        while try await socket.receive() != nil {}
    }

    /// Waits until it is cancelled.
    private static func note(_ notes: Notes, _ name: String) -> WebSocketHandler.WhileServing {
        { serving in
            notes.add("\(name) begins")
            defer { notes.add("\(name) ends") }
            try await serving.sleep(for: .seconds(1_000_000))
        }
    }

    @Test("a feed publishes by the host's clock, from its beginning on")
    func feed() async throws {
        let handler = WebSocketHandler(
            feed: { serving in
                let start = serving.now
                while true {
                    try await serving.sleep(for: .seconds(1))
                    serving.publish("\(start.duration(to: serving.now))", to: "clock")
                }
            }, transferData: Self.listen)
        let host = try TestHost(handler)
        try await host.advance(by: .milliseconds(2_500))
        let client = try await host.connect()
        try await host.advance(by: .seconds(2))
        #expect(try await client.receive() == .text("3.0 seconds"))
        #expect(try await client.receive() == .text("4.0 seconds"))
        try await client.receiveNothing()
    }

    @Test("each hook of a handler runs once, on however many paths")
    func once() async throws {
        let notes = Notes()
        let handler = WebSocketHandler(
            whileServing: { serving in notes.add("serving \(serving.route)") },
            feed: { serving in notes.add("feed \(serving.route)") }, transferData: Self.listen)
        let host = try TestHost(["/a": handler, "/b": handler])
        try await host.settle()
        #expect(notes.all == ["serving /a", "feed /a"])
        // Having returned, they have ended.
        try await host.advance(by: .seconds(100_000))
        #expect(notes.all.count == 2)
    }

    @Test("stop() cancels both")
    func stops() async throws {
        let notes = Notes()
        let host = try TestHost(
            WebSocketHandler(
                whileServing: Self.note(notes, "serving"), feed: Self.note(notes, "feed"),
                transferData: Self.listen))
        try await host.settle()
        #expect(notes.takeAll() == ["serving begins", "feed begins"])
        try await host.stop()
        #expect(Set(notes.all) == ["serving ends", "feed ends"])
        #expect(host.logLines.isEmpty)
    }

    @Test("retiring cancels the feed at once, and whileServing behind the last connection")
    func retires() async throws {
        let notes = Notes()
        let host = try TestHost(
            WebSocketHandler(
                whileServing: Self.note(notes, "serving"), feed: Self.note(notes, "feed"),
                transferData: Self.listen))
        let client = try await host.connect()
        _ = notes.takeAll()
        try await host.retire()
        #expect(notes.takeAll() == ["feed ends"])
        try await client.close()
        try await host.settle()
        #expect(notes.all == ["serving ends"])
    }

    @Test("a feed that goes on although it was told to end publishes nothing")
    func silenced() async throws {
        let notes = Notes()
        let handler = WebSocketHandler(
            feed: { serving in
                serving.publish("before", to: "clock")
                try? await serving.sleep(for: .seconds(1_000))
                let counts = serving.publish("after", to: "clock")
                notes.add("\(counts.receivers) \(String(describing: counts.refusal))")
            }, transferData: Self.listen)
        let host = try TestHost(handler)
        let client = try await host.connect()
        try await host.retire()
        #expect(notes.all == ["0 Optional(\(TopicError.feedEnded))"])
        try await client.receiveNothing()
    }

    @Test("one that throws is logged and begins again: after 1 s, twice that, 60 s at most")
    func throwsAgain() async throws {
        let notes = Notes()
        let handler = WebSocketHandler(
            feed: { serving in
                notes.add("begins")
                throw Oops()
            }, transferData: Self.listen)
        let host = try TestHost(["/ticker": handler])
        try await host.settle()
        for pause in [1, 2, 4, 8, 16, 32, 60, 60] {
            #expect(notes.takeAll() == ["begins"])
            let line = try #require(host.logLines.last)
            #expect(
                line.hasSuffix(
                    "the feed of /ticker threw Oops(); it begins again in \(pause) s"))
            try await host.advance(by: .seconds(pause) - .milliseconds(1))
            #expect(notes.all.isEmpty)
            try await host.advance(by: .milliseconds(1))
        }
    }

    @Test("after a minute without a fault the first pause is short again")
    func forgets() async throws {
        let notes = Notes()
        let count = Mutex(0)
        let handler = WebSocketHandler(
            whileServing: { serving in
                let number = count.withLock { count in
                    count += 1
                    return count
                }
                notes.add("\(number)")
                if number == 4 { try await serving.sleep(for: .seconds(60)) }
                throw Oops()
            }, transferData: Self.listen)
        let host = try TestHost(handler)
        try await host.advance(by: .seconds(1 + 2 + 4))
        #expect(notes.takeAll() == ["1", "2", "3", "4"])
        try await host.advance(by: .seconds(60 + 1))
        #expect(notes.takeAll() == ["5"])
    }

    @Test("a fault that follows from the cancellation is none")
    func cancelledFault() async throws {
        let handler = WebSocketHandler(
            feed: { serving in
                try? await serving.sleep(for: .seconds(1_000))
                throw Oops()
            }, transferData: Self.listen)
        let host = try TestHost(handler)
        try await host.stop()
        try await host.advance(by: .seconds(100))
        #expect(host.logLines.isEmpty)
    }

    @Test("a line in the log has the route in front, and is safe to print")
    func log() async throws {
        let handler = WebSocketHandler(
            whileServing: { serving in
                serving.log(.warning, "so \u{7}")
                serving.log(.debug, "not enabled")
            }, transferData: Self.listen)
        let host = try TestHost(["/a b": handler])
        try await host.settle()
        #expect(host.logLines.count == 1)
        #expect(host.logLines.first?.hasSuffix(" /a b: so \(escaped("\u{7}"))") == true)
    }
}
