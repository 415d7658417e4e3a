import EventLoop
import Synchronization
import Testing

@testable import WebSocketHost

@Suite("What lives with a handler, in a server", .timeLimit(.minutes(5)))
struct ServingTests {
    private static let talk: WebSocketHandler.TransferData = { socket in
        while try await socket.receive() != nil {}
    }

    /// A server that takes no connection longer to stop than it has to.
    private static func server(
        drainTimeout: Duration = .seconds(60), log: Log = Log(level: .critical),
        _ handler: WebSocketHandler
    ) throws -> Server {
        var configuration = Configuration()
        configuration.host = "127.0.0.1"
        configuration.port = 0
        configuration.threadCount = 1
        configuration.drainTimeout = drainTimeout
        let server = try Server(configuration, log: log)
        try server.route("/test", handler)
        return server
    }

    @Test("they begin with the server, and it ends behind them")
    func lifetime() async throws {
        let begun = Signal<String>()
        let ended = Mutex<[String]>([])
        func hook(_ name: String) -> WebSocketHandler.WhileServing {
            { serving in
                begun.send(name)
                try? await serving.sleep(for: .seconds(1_000_000))
                // Not at once: the server waits for that.
                for _ in 0..<100 { await Task.yield() }
                ended.withLock { $0.append(name) }
            }
        }
        let server = try Self.server(
            WebSocketHandler(
                whileServing: hook("serving"), feed: hook("feed"), transferData: Self.talk))
        try server.start()
        #expect(Set([await begun.next(), await begun.next()]) == ["serving", "feed"])
        server.stop()
        await server.stopped()
        #expect(Set(ended.withLock { $0 }) == ["serving", "feed"])
    }

    @Test("a server that retires ends its feeds, and its other hooks behind the last connection")
    func retires() async throws {
        let ended = Signal<String>()
        func hook(_ name: String) -> WebSocketHandler.WhileServing {
            { serving in
                defer { ended.send(name) }
                try await serving.sleep(for: .seconds(1_000_000))
            }
        }
        let server = try TestServer(
            WebSocketHandler(
                whileServing: hook("serving"), feed: hook("feed"), transferData: Self.talk))
        let port = server.port
        let client = try await onThread { Unchecked(try TestClient(port)) }
        server.server.retire()
        #expect(await ended.next() == "feed")
        server.server.startFeeds()  // too late
        client.value.reset()
        #expect(await ended.next() == "serving")
        await server.server.stopped()
    }

    @Test("feeds wait for their order, and say when they have ended")
    func orders() async throws {
        let begun = Signal<RoutePart?>()
        let server = try Self.server(
            WebSocketHandler(
                whileServing: { serving in
                    begun.send(.whileServing)
                    try await serving.sleep(for: .seconds(1_000_000))
                },
                feed: { serving in
                    begun.send(.feed)
                    try await serving.sleep(for: .seconds(1_000_000))
                }, transferData: Self.talk))
        try server.startWithoutHooks(on: try Server.listeningSockets(server.configuration))
        server.beginServing()
        #expect(await begun.next() == .whileServing)
        for _ in 0..<3 {
            server.startFeeds()
            server.startFeeds()
            #expect(await begun.next() == .feed)
            let ended = Signal<Bool>()
            server.endFeeds { ended.send(server.controlLoop.isCurrent) }
            server.endFeeds {}
            #expect(await ended.next() == true)
        }
        let ended = Signal<Void>()
        server.endFeeds { ended.send(()) }  // none runs
        await ended.next()
        server.stop()
        server.startFeeds()
        await server.stopped()
    }

    @Test("the next run of a feed waits for the one before, which is not waited for without limit")
    func stubbornFeed() async throws {
        let (begun, release) = (Signal<Int>(), Signal<Void>())
        let count = Mutex(0)
        let lines = Mutex<[String]>([])
        let server = try Self.server(
            log: Log(LogSettings(level: .warning)) { line in lines.withLock { $0.append(line) } },
            WebSocketHandler(
                feed: { serving in
                    let number = count.withLock { count in
                        count += 1
                        return count
                    }
                    begun.send(number)
                    if number == 1 { await release.nextEvenIfCancelled() }
                }, transferData: Self.talk))
        try server.start()
        #expect(await begun.next() == 1)
        let ended = Signal<Void>()
        server.endFeeds { ended.send(()) }
        await ended.next()
        #expect(
            lines.withLock { $0.last }?.hasSuffix(
                "the feed of /test goes on although it was cancelled: it is not waited for") == true
        )
        server.startFeeds()
        #expect(count.withLock { $0 } == 1)
        release.send(())
        #expect(await begun.next() == 2)
        server.stop()
        await server.stopped()
    }

    @Test("a hook that goes on is named, and left when the drain time is over")
    func stubborn() async throws {
        let (begun, release) = (Signal<Void>(), Signal<Void>())
        let lines = Mutex<[String]>([])
        let server = try Self.server(
            drainTimeout: .milliseconds(300),
            log: Log(LogSettings(level: .warning)) { line in lines.withLock { $0.append(line) } },
            WebSocketHandler(
                whileServing: { _ in
                    begun.send(())
                    await release.nextEvenIfCancelled()
                }, transferData: Self.talk))
        try server.start()
        await begun.next()
        server.stop()
        await server.stopped()
        #expect(
            lines.withLock { $0 }.contains {
                $0.hasSuffix(
                    "whileServing of /test goes on although it was cancelled: it is not waited for")
            })
        release.send(())
    }

    @Test("one that blocks its thread is named, and does not keep the server")
    func blocking() async throws {
        let gate = Gate()
        let lines = Mutex<[String]>([])
        let named = Signal<Void>()
        let log = Log(LogSettings(level: .warning)) { line in
            lines.withLock { $0.append(line) }
            if line.contains("has been blocking") { named.send(()) }
        }
        let server = try Self.server(
            drainTimeout: .milliseconds(300), log: log,
            WebSocketHandler(
                feed: { serving in
                    try? await serving.sleep(for: .milliseconds(1))
                    gate.block()
                }, transferData: Self.talk))
        try server.start()
        await named.next()
        #expect(
            lines.withLock { $0.last }?.contains("the feed of /test has been blocking its thread")
                == true)
        server.stop()
        await server.stopped()
        gate.open()
    }

    @Test("while its file is left out a hook does not run")
    func leftOut() async throws {
        let (begun, ended) = (Signal<MonotonicTime>(), Signal<MonotonicTime>())
        var configuration = Configuration()
        configuration.host = "127.0.0.1"
        configuration.port = 0
        let routes = Routes([
            Registration(
                route: "/test", source: "test_wsh.swift",
                handler: WebSocketHandler(
                    whileServing: { serving in
                        begun.send(.current())
                        defer { ended.send(.current()) }
                        try await serving.sleep(for: .seconds(1_000_000))
                    }, transferData: Self.talk))
        ])
        let server = try Server(configuration, routes: routes, log: Log(level: .critical))
        let start = MonotonicTime.current()
        routes.leaveOut("test_wsh.swift", for: .milliseconds(200))
        try server.start()
        let first = try #require(await begun.next())
        #expect(first >= start + .milliseconds(200))
        let order = MonotonicTime.current()
        server.leaveOut("other_wsh.swift", for: .seconds(1_000))
        server.leaveOut("test_wsh.swift", for: .milliseconds(200))
        _ = await ended.next()
        let second = try #require(await begun.next())
        #expect(second >= order + .milliseconds(200))
        server.stop()
        await server.stopped()
    }

    @Test("a loop notes what runs on it, wherever the hook waited")
    func activity() async throws {
        let activities = Signal<Int>()
        let server = try Self.server(
            WebSocketHandler(
                feed: { _ in
                    await Task.yield()
                    activities.send(ThreadActivity.current)
                    await Task { @MainActor in }.value
                    activities.send(ThreadActivity.current)
                }, transferData: Self.talk))
        try server.start()
        for _ in 0..<2 {
            let activity = try #require(await activities.next())
            let (index, part) = try #require(RoutePart.of(activity: activity))
            #expect(index == 0 && part == .feed)
        }
        server.stop()
        await server.stopped()
    }

    @Test("each activity leads back to its route and part, and to a line of the crash report")
    func activities() {
        var routes = Routes()
        for path in ["/a", "/b"] { routes.add(path, WebSocketHandler { _ in }) }
        for route in routes.all {
            for part in RoutePart.allCases {
                let activity = part.activity(ofRoute: route.index)
                #expect(RoutePart.of(activity: activity)?.routeIndex == route.index)
                #expect(RoutePart.of(activity: activity)?.part == part)
                #expect(routes.inActivityOrder[activity].path == route.path)
            }
        }
        #expect(RoutePart.of(activity: -1) == nil)
    }
}

/// `@unchecked Sendable`: the test uses it in one place at a time.
private struct Unchecked<Value>: @unchecked Sendable {
    let value: Value
    init(_ value: Value) { self.value = value }
}

extension Signal where Value == Void {
    /// As ``next()``, by a task that does not care for its cancellation.
    fileprivate func nextEvenIfCancelled() async {
        await Task.detached { await self.next() }.value
    }
}
