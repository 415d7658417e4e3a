import Testing
import WebSocketHostTesting

/// Topics as handlers use them, from the request's first byte on.
@Suite("Topics in a server")
struct TopicsTests {
    /// Subscribes each client to the topic of its query, and publishes what it says there.
    private let room = WebSocketHandler { socket in
        let topic = socket.request.query["topic"] ?? "all"
        try await socket.subscribe(to: topic)
        for try await message in socket { socket.publish(message, to: topic) }
    }

    @Test("everyone but the publisher, of its topic alone") func publish() async throws {
        let host = try TestHost(room)
        let ada = try await host.connect("?topic=a")
        let bob = try await host.connect("?topic=a")
        let carl = try await host.connect("?topic=b")
        #expect(host.topics.subscriberCount(of: "a") == 2)
        try await ada.send("hello")
        try await ada.send([1, 2, 3])
        #expect(try await bob.receive() == .text("hello"))
        #expect(try await bob.receive() == .binary([1, 2, 3]))
        try await ada.receiveNothing()
        try await carl.receiveNothing()
        // And from outside, as an embedder does.
        let counts = host.topics.publish("to all", to: "a")
        #expect(counts.receivers == 2 && counts.refusal == nil)
        #expect(try await ada.receive() == .text("to all"))
        #expect(try await bob.receive() == .text("to all"))
        try await bob.close()
        #expect(host.topics.subscriberCount(of: "a") == 1)
        try await ada.drop()
        #expect(host.topics.summaries.map(\.name) == ["b"])
        #expect(host.topics.counters.delivered == 4)
        try await carl.close()
    }

    @Test("a client that reads is not slow, whatever is published to its topics in one turn")
    func manyInOneTurn() async throws {
        let host = try TestHost(
            WebSocketHandler { socket in
                try await socket.subscribe(to: "a")
                try await socket.subscribe(to: "b")
                for try await _ in socket {
                    // More than may wait, in parts that are too long to be copied.
                    let text = String(repeating: "x", count: 10_000)
                    for number in 0..<200 {
                        socket.topics.publish(text, to: number % 6 < 3 ? "a" : "b")
                    }
                }
            })
        let client = try await host.connect()
        try await client.send("go")
        for _ in 0..<200 { _ = try await client.receive() }
        #expect(host.topics.counters.delivered == 200)
        try await client.close()
    }

    @Test("what is published and what the handler sends are in one order")
    func order() async throws {
        let host = try TestHost(
            WebSocketHandler { socket in
                try await socket.subscribe(to: "t")
                for try await _ in socket {
                    socket.topics.publish("1", to: "t")
                    try await socket.send("2")
                    socket.topics.publish("3", to: "t")
                    try await socket.send("4 in ", end: false)
                    socket.topics.publish("5", to: "t")
                    try await socket.send("pieces", end: true)
                    socket.topics.publish("6", to: "t")
                    await socket.unsubscribe(from: "t")
                    socket.topics.publish("nobody", to: "t")
                    try await socket.send("7")
                    try await socket.subscribe(to: "t")
                    socket.topics.publish("8", to: "t")
                    try await socket.close(reason: "9")
                    #expect(socket.publish("closed", to: "t").receivers == 0)
                }
            })
        let client = try await host.connect()
        try await client.send("go")
        for text in ["1", "2", "3", "4 in pieces", "5", "6", "7", "8"] {
            #expect(try await client.receive() == .text(text))
        }
        #expect(try await client.receiveClose() == Close(.normalClosure, reason: "9"))
    }

    @Test(
        "compressed for all who agreed on it, and with context for each by itself",
        arguments: [CompressionSettings.Mode.shared, .dedicated, .off])
    func compression(_ mode: CompressionSettings.Mode) async throws {
        var configuration = Configuration()
        configuration.connection.compression.mode = mode
        let host = try TestHost(room, configuration: configuration)
        var settings = TestClientSettings()
        settings.compression = CompressionSettings()
        let compressing = try await host.connect(settings: settings)
        let plain = try await host.connect()
        #expect((compressing.compression != nil) == (mode != .off))
        let text = String(repeating: "many times ", count: 100)
        for number in 0..<3 {
            host.topics.publish("\(number) \(text)", to: "all")
            for client in [compressing, plain] {
                #expect(try await client.receive() == .text("\(number) \(text)"))
            }
        }
        try await compressing.close()
        try await plain.close()
    }

    @Test("who reads too slowly is closed with 1013, the log says so, and nobody waits for it")
    func slow() async throws {
        var configuration = Configuration()
        configuration.topics.queueByteLimit = 100_000
        let host = try TestHost(room, configuration: configuration, logLevel: .info)
        let quick = try await host.connect()
        let slow = try await host.connect()
        try await slow.pauseReading()
        let text = String(repeating: "x", count: 10_000)
        for number in 0..<20 {
            host.topics.publish("\(number) \(text)", to: "all")
            #expect(try await quick.receive() == .text("\(number) \(text)"))
        }
        #expect(host.logLines.contains { $0.contains("closed /") && $0.contains("too far behind") })
        try await slow.resumeReading()
        // What its connection had queued, up to the mark of 64 KiB.
        for number in 0..<7 { #expect(try await slow.receive() == .text("\(number) \(text)")) }
        #expect(
            try await slow.receiveClose() == Close(.tryAgainLater, reason: "too far behind"))
        #expect(host.topics.counters.delivered == 27 && host.topics.counters.closed == 13)
        try await quick.close()
    }

    @Test("a message may wait for ten seconds") func overdue() async throws {
        let host = try TestHost(room)
        let slow = try await host.connect()
        try await slow.pauseReading()
        for _ in 0..<9 {
            host.topics.publish(String(repeating: "x", count: 10_000), to: "all")
            try await host.settle()
        }
        try await host.advance(by: .seconds(9))
        #expect(host.topics.counters.closed == 0)
        try await host.advance(by: .seconds(3))
        #expect(host.topics.counters.closed == 2)
        try await slow.resumeReading()
        for _ in 0..<7 { _ = try await slow.receive() }
        #expect(try await slow.receiveClose().code == .tryAgainLater)
    }

    @Test("a route and a subscription choose what happens to who is slow") func policies()
        async throws
    {
        var configuration = Configuration()
        configuration.topics.queueByteLimit = 80_000
        let host = try TestHost(
            WebSocketHandler(slowSubscribers: .latest) { socket in
                try await socket.subscribe(to: "prices")
                try await socket.subscribe(to: "news", slow: .skipNewest)
                for try await _ in socket {}
            }, configuration: configuration)
        let client = try await host.connect()
        try await client.pauseReading()
        let filling = String(repeating: "x", count: 66_000)
        host.topics.publish(filling, to: "prices")
        try await host.settle()
        for number in 0..<10 {
            host.topics.publish("A \(number)", to: "prices", key: "A")
            host.topics.publish("B \(number)", to: "prices", key: "B")
        }
        let long = String(repeating: "y", count: 10_000)
        #expect(host.topics.publish(long, to: "news").receivers == 1)
        #expect(host.topics.publish(long, to: "news").receivers == 1)
        try await client.resumeReading()
        for text in [filling, "A 9", "B 9", long] {
            #expect(try await client.receive() == .text(text))
        }
        #expect(host.topics.counters.skipped == 19)
        try await client.close()
    }

    @Test("publishing before the handshake is answered; subscribing after the end")
    func phases() async throws {
        let host = try TestHost([
            "/room": room,
            "/": WebSocketHandler(doExtraHandshake: { request in
                #expect(request.topics.publish("somebody comes", to: "all").receivers == 1)
            }) { socket in
                try await socket.close()
                await #expect(throws: ConnectionError.self) {
                    try await socket.subscribe(to: "all")
                }
                await #expect(throws: ConnectionError.self) {
                    try await socket.subscribe(to: "other")
                }
                #expect(await socket.unsubscribe(from: "all") == false)
                #expect(socket.publish("ended", to: "all").receivers == 1)
            },
        ])
        let listener = try await host.connect("/room")
        let client = try await host.connect("/")
        #expect(try await listener.receive() == .text("somebody comes"))
        #expect(try await client.receiveClose().code == .normalClosure)
        #expect(try await listener.receive() == .text("ended"))
        #expect(host.topics.subscriberCount(of: "all") == 1)
        try await listener.close()
    }

    @Test("names and numbers over their limits are refused, and the connection goes on")
    func limits() async throws {
        var configuration = Configuration()
        configuration.topics.subscriptionLimit = 2
        configuration.topics.nameByteLimit = 10
        configuration.connection.messageByteLimit = 1_000
        let host = try TestHost(
            WebSocketHandler { socket in
                for try await case .text(let topic) in socket {
                    do {
                        try await socket.subscribe(to: topic)
                        try await socket.send("subscribed")
                    } catch let error as TopicError {
                        try await socket.send("\(error)")
                    }
                }
            }, configuration: configuration)
        let client = try await host.connect()
        for (topic, answer) in [
            ("a", "subscribed"), ("b", "subscribed"), ("a", "subscribed"),
            ("c", "the connection has 2 subscriptions, as many as it may have"),
            ("", "a topic's name is empty"),
            ("eleven byte", "a topic's name has 11 bytes, over the limit of 10"),
        ] {
            try await client.send(topic)
            guard case .text(let text) = try await client.receive() else { return }
            #expect(text.hasPrefix(answer))
        }
        let counts = host.topics.publish(String(repeating: "x", count: 1_001), to: "a")
        #expect(counts.refusal == .messageTooLong(byteCount: 1_001, byteLimit: 1_000))
        #expect(host.topics.publish(String(repeating: "x", count: 1_000), to: "a").receivers == 1)
        try await client.close()
    }

    @Test("two servers have topics of their own") func twoServers() async throws {
        let first = try TestHost(room)
        let second = try TestHost(room)
        let client = try await first.connect()
        let other = try await second.connect()
        #expect(first.topics.publish("first", to: "all").receivers == 1)
        #expect(try await client.receive() == .text("first"))
        try await other.receiveNothing()
        try await client.close()
        try await other.close()
    }
}
