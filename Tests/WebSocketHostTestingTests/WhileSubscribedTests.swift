import Testing
import WebSocketHostTesting

@Suite("Feeds that cost money", .timeLimit(.minutes(5)))
struct WhileSubscribedTests {
    private static func handler(
        _ notes: Notes, _ body: @escaping @Sendable (Serving) async throws -> Void
    ) -> WebSocketHandler {
        WebSocketHandler(
            feed: { serving in
                try await serving.whileSubscribed(to: "price") {
                    notes.add("begins")
                    defer { notes.add("ends") }
                    try await body(serving)
                }
                notes.add("unreachable")
            },
            transferData: { socket in
                try await socket.subscribe(to: "price")
                while try await socket.receive() != nil {}
            })
    }

    @Test("they run from the first subscriber to the last")
    func runs() async throws {
        let notes = Notes()
        let host = try TestHost(
            Self.handler(notes) { try await $0.sleep(for: .seconds(1_000_000)) })
        try await host.settle()
        #expect(notes.all.isEmpty)
        for _ in 0..<2 {
            let first = try await host.connect()
            #expect(notes.takeAll() == ["begins"])
            let second = try await host.connect()
            try await first.close()
            #expect(notes.all.isEmpty)
            try await second.close()
            try await host.settle()
            #expect(notes.takeAll() == ["ends"])
        }
        try await host.stop()
        #expect(notes.all.isEmpty)
        #expect(host.logLines.isEmpty)
    }

    @Test("a feed runs for subscribers of other processes too, whileServing for its own")
    func otherProcesses() async throws {
        let notes = Notes()
        func hook(_ name: String) -> WebSocketHandler.WhileServing {
            { serving in
                try await serving.whileSubscribed(to: "price") {
                    notes.add("\(name) begins")
                    defer { notes.add("\(name) ends") }
                    try await serving.sleep(for: .seconds(1_000_000))
                }
            }
        }
        let host = try TestHost(
            WebSocketHandler(
                whileServing: hook("serving"), feed: hook("feed"),
                transferData: { socket in
                    try await socket.subscribe(to: "price")
                    while try await socket.receive() != nil {}
                }))
        host.topics.setCount(2, of: "price", at: 7)
        try await host.settle()
        #expect(notes.takeAll() == ["feed begins"])
        let client = try await host.connect()
        #expect(notes.takeAll() == ["serving begins"])
        host.topics.removeOrigin(7)
        try await host.settle()
        #expect(notes.all.isEmpty)
        try await client.close()
        try await host.settle()
        #expect(Set(notes.all) == ["serving ends", "feed ends"])
    }

    @Test("the end of the feed ends them")
    func stops() async throws {
        let notes = Notes()
        let host = try TestHost(
            Self.handler(notes) { try await $0.sleep(for: .seconds(1_000_000)) })
        let client = try await host.connect()
        try await host.retire()
        #expect(notes.all == ["begins", "ends"])
        try await client.receiveNothing()
    }

    @Test("one that returns waits for a new first subscriber")
    func returns() async throws {
        let notes = Notes()
        let host = try TestHost(Self.handler(notes) { _ in })
        let first = try await host.connect()
        let second = try await host.connect()
        #expect(notes.takeAll() == ["begins", "ends"])
        try await first.close()
        try await second.close()
        _ = try await host.connect()
        #expect(notes.takeAll() == ["begins", "ends"])
    }

    @Test("one that throws is a fault of the feed, and begins again with it")
    func throwing() async throws {
        let notes = Notes()
        let host = try TestHost(Self.handler(notes) { _ in throw Oops() })
        let client = try await host.connect()
        #expect(notes.takeAll() == ["begins", "ends"])
        #expect(host.logLines.last?.contains("the feed of / threw Oops()") == true)
        try await host.advance(by: .seconds(1))
        #expect(notes.takeAll() == ["begins", "ends"])
        try await client.receiveNothing()
    }

    @Test("what one throws because it was cancelled is no fault")
    func cancelledFault() async throws {
        let notes = Notes()
        let host = try TestHost(
            Self.handler(notes) { serving in
                try? await serving.sleep(for: .seconds(1_000_000))
                throw Oops()
            })
        let client = try await host.connect()
        try await client.close()
        try await host.settle()
        #expect(notes.all == ["begins", "ends"])
        #expect(host.logLines.isEmpty)
    }
}
