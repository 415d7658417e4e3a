import EventLoop
import HTTPProtocol
import Synchronization
import WebSocketHost

/// Handlers served in memory: no socket, no port, and a clock that the test moves.
///
/// ```swift
/// @Test func echoes() async throws {
///     let host = try TestHost(handler)
///     let client = try await host.connect()
///     try await client.send("hello")
///     #expect(try await client.receive() == .text("hello"))
///     try await host.advance(by: .seconds(20))  // the ping interval
///     #expect(try await client.receivePing() == Array("keep-alive".utf8))
///     try await client.close()
/// }
/// ```
///
/// Everything from the request's first byte on is the code of a ``Server``: the checks of the
/// handshake, frames, limits, queues, time-outs. Hooks run on a thread of the host's own, and each
/// call of the test returns when nothing is left to run there. A task that runs elsewhere
/// (`Task.detached`, an actor with its own executor) is waited for where something is expected of
/// it, for up to ``patience``.
///
/// The clock stands still until ``advance(by:)``. It drives all that the server waits for, and a
/// handler's `receive(timeout:)`, `socket.sleep(for:)` and `socket.now`, as well as
/// `serving.sleep(for:)` of `whileServing` and `feed`, which begin with the host. It does not drive
/// `Task.sleep`, `ContinuousClock`, `Date` or timers of other libraries: those go by the real time.
public final class TestHost: Sendable {
    /// How long, in real time, what is expected may take before the test fails. 10 s, unless given.
    public let patience: Duration

    let memory: MemoryHost
    let configuration: Configuration
    private let defaultTarget: String
    private let lines: LogLines
    private let clientCount = Atomic<Int>(0)
    private let isStopping = Atomic<Bool>(false)

    var loop: Loop { memory.loop }

    /// Serves one handler.
    ///
    /// - Parameters:
    ///   - path: where, as it is after percent-decoding.
    ///   - configuration: the limits and time-outs; what concerns sockets and certificates has no
    ///     effect.
    ///   - logLevel: the lines that ``logLines`` has.
    ///   - patience: see ``patience``.
    /// - Throws: ``SystemError`` if the kernel gives no event loop or thread.
    public convenience init(
        _ handler: WebSocketHandler, at path: String = "/",
        configuration: Configuration = Configuration(),
        logLevel: LogLevel = .warning, patience: Duration = .seconds(10)
    ) throws(SystemError) {
        var routes = Routes()
        routes.add(path, handler)
        try self.init(routes, configuration: configuration, logLevel: logLevel, patience: patience)
    }

    /// Serves several, by their paths; otherwise as the other initialiser.
    public convenience init(
        _ handlers: KeyValuePairs<String, WebSocketHandler>,
        configuration: Configuration = Configuration(),
        logLevel: LogLevel = .warning, patience: Duration = .seconds(10)
    ) throws(SystemError) {
        var routes = Routes()
        for (path, handler) in handlers { routes.add(path, handler) }
        try self.init(routes, configuration: configuration, logLevel: logLevel, patience: patience)
    }

    /// Serves routes; otherwise as the other initialisers.
    public init(
        _ routes: Routes, configuration: Configuration = Configuration(),
        logLevel: LogLevel = .warning,
        patience: Duration = .seconds(10)
    ) throws(SystemError) {
        self.patience = patience
        self.configuration = configuration
        let lines = LogLines()
        self.lines = lines
        defaultTarget = routes.listing.first?.urlPath ?? "/"
        memory = try MemoryHost(
            configuration, routes: routes,
            log: Log(LogSettings(level: logLevel)) { lines.append($0) })
        _ = try memory.loop.start()
        memory.beginHooks()
    }

    deinit { memory.end() }

    /// What the server logged, in order; each line with its time and level in front.
    public var logLines: [String] { lines.all }

    /// The topics of the host: what is published here goes to its clients.
    public var topics: TopicBroker { memory.topics }

    /// Connections that are open, or whose handler still runs; those on their way included.
    public var openConnectionCount: Int { memory.openCount }

    /// The host's time, which begins with the present.
    public var now: ContinuousClock.Instant { loop.continuousTime }
}

// MARK: - Time

extension TestHost {
    /// Moves the clock, stopping at each timer on the way to let run what it wakes.
    ///
    /// - Throws: ``TestFailure`` if that does not end, as with a handler that waits with a time-out
    ///   of zero again and again.
    public func advance(
        by duration: Duration, fileID: String = #fileID, line: Int = #line
    ) async throws {
        let place = TestPlace(fileID: fileID, line: line)
        try await wait(
            place, explain: { "the clock could not be moved by \(duration): something never rests" }
        ) {
            [loop] (wait: Wait<Void>) in loop.advance(by: duration) { wait.end(.success(())) }
        }
    }

    /// Runs everything that can run. All other calls do this first; for tests that inspect shared
    /// state.
    public func settle(fileID: String = #fileID, line: Int = #line) async throws {
        let place = TestPlace(fileID: fileID, line: line)
        try await wait(place, explain: { "something never rests" }) { [loop] (wait: Wait<Void>) in
            loop.whenIdle { wait.end(.success(())) }
        }
    }

    /// Begins what a change-over does to the process that is replaced: `feed` is cancelled, and
    /// `whileServing` once the last connection has ended.
    public func retire(fileID: String = #fileID, line: Int = #line) async throws {
        loop.submit { [memory] in memory.retire() }
        try await settle(fileID: fileID, line: line)
    }

    /// Begins what `Server.stop()` does: connections are closed with 1001, and dropped when the
    /// clock has moved by ``Configuration/drainTimeout``; `whileServing` and `feed` are cancelled.
    public func stop(fileID: String = #fileID, line: Int = #line) async throws {
        loop.submit { [memory] in memory.drain(onEmpty: {}) }
        try await settle(fileID: fileID, line: line)
    }

    /// In how much time the next timer fires, in words. On the loop's thread.
    func nextTimer() -> String {
        guard let deadline = loop.earliestDeadline else { return "no timer is set" }
        return
            "the next timer fires in \((deadline - loop.currentTime).seconds) s, "
            + "and advance(by:) moves the clock"
    }

    /// The last line that the server logged, for messages.
    var lastLogLine: String { lines.all.last.map { "; the last log line: \($0)" } ?? "" }
}

// MARK: - Clients

extension TestHost {
    /// Connects and offers a handshake.
    ///
    /// - Parameters:
    ///   - target: path and query, percent-encoded; empty: the path of the first route, `?query`:
    ///     there too.
    ///   - origin: what a browser would send; `nil`: no such field.
    ///   - subprotocols: offered, in order of preference.
    ///   - cookies: in one `Cookie` field, as given.
    ///   - fields: added to the request, last and in this order.
    ///   - address: where the client is: an IP address. Each client has a port of its own.
    ///   - user: who the client is, as if it had passed the server's Basic authentication.
    ///   - tls: what TLS agreed on; `nil`: no TLS.
    ///   - settings: how the client behaves.
    /// - Throws: ``TestRejection`` if the answer is not 101, ``TestFailure`` if it makes no sense
    ///   or none comes.
    public func connect(
        _ target: String = "", origin: String? = nil, subprotocols: [String] = [],
        cookies: KeyValuePairs<String, String> = [:], fields: Fields = Fields(),
        from address: String = "192.0.2.1", user: String? = nil, tls: TLSInfo? = nil,
        settings: TestClientSettings = TestClientSettings(), fileID: String = #fileID,
        line: Int = #line
    ) async throws -> TestClient {
        let place = TestPlace(fileID: fileID, line: line)
        var fields = fields
        if !cookies.isEmpty {
            try fields.append("Cookie", cookies.map { "\($0)=\($1)" }.joined(separator: "; "))
        }
        let end = try ClientEnd(
            self, fullTarget(target), origin: origin, subprotocols: subprotocols, fields: fields,
            tls: tls,
            settings: settings)
        try accept(end, from: address, user: user, place)
        let answer = try await end.take("an answer to the handshake", self, place) {
            $0.takeAnswer()
        }
        return TestClient(self, end, answer)
    }

    /// Sends the client's first bytes on a connection of its own.
    func accept(
        _ end: ClientEnd, from address: String, user: String?, _ place: TestPlace
    ) throws {
        let port = clientCount.add(1, ordering: .relaxed).newValue + Self.portBase
        guard
            let address = try SocketAddress.resolve(
                host: address, port: UInt16(truncatingIfNeeded: port)
            ).first
        else { throw place.failure("'\(address)' is not an IP address") }
        loop.submit { [memory] in
            end.listen()
            memory.accept(end.peer, from: address, user: user)
            end.offer()
        }
    }

    /// - Parameter target: may be empty, or begin with `?`: the path of the first route.
    func fullTarget(_ target: String) -> String {
        target.hasPrefix("/") ? target : defaultTarget + target
    }

    /// RFC 6335 §6: the ports that clients are given.
    private static let portBase = 49_151
}

/// What was logged.
private final class LogLines: Sendable {
    private let lines = Mutex<[String]>([])
    var all: [String] { lines.withLock { $0 } }
    func append(_ line: String) { lines.withLock { $0.append(line) } }
}
