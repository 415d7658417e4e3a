import EventLoop
import Glibc
import HTTPProtocol
import HTTPServer
import Synchronization
import WebSocketConnection
import WebSocketProtocol

/// One event loop, with the exchanges and the connections on it.
///
/// `@unchecked Sendable`: everything mutable is set before the loop begins, or touched on its
/// thread only; `openCount` is atomic, and `dealt` has a mutex.
final class Worker: @unchecked Sendable {
    let loop: Loop
    let log: Log
    let configuration: Configuration
    let exchanges: Exchanges
    let connections: Connections
    /// Exchanges and connections together, for the server to balance and to limit. A connection
    /// counts until its descriptor is closed and its handler has ended.
    let openCount = Atomic<Int>(0)
    /// Connections from another thread that are not adopted yet; `nil`: it takes none any more.
    private let dealt = Mutex<[AcceptedConnection]?>([])
    /// Set before the loop begins.
    var tls: TLSServer?
    /// How long the loop lets something wait.
    let probe = LoopProbe()
    /// Whether each listener speaks TLS.
    private let areListenersSecure: [Bool]
    /// Whether what each listener accepts begins with a header of the PROXY protocol.
    let areListenersBehindProxy: [Bool]
    /// Of the worker that accepts for all.
    var listeners: [Listener] = []
    /// Of connections through proxies; see Worker+ProxyProtocol.swift.
    let awaitedHeaders = AwaitedHeaders()
    var reportTimer: EventLoop.Timer?
    var dropTimer: EventLoop.Timer?
    /// While the server retires.
    var lingerTimer: EventLoop.Timer?
    /// Whether nothing but handlers without a connection was left at the last look.
    var wasLingering = false
    var phase = Phase.serving

    enum Phase {
        case serving
        /// No connection outlives the answer that it waits for, or the handler.
        case leaving(onEmpty: @Sendable () -> Void)
        /// Nothing is open any more, and that was reported.
        case empty
    }

    /// - Parameter lane: a number for it among all that the server ever has.
    init(
        _ configuration: Configuration, log: Log, _ common: CommonState, lane: Int = 0,
        manualTime: ManualTime? = nil
    ) throws(SystemError) {
        loop = try Loop(manualTime: manualTime)
        self.log = log
        self.configuration = configuration
        areListenersSecure = configuration.allListeners.map(\.isSecure)
        areListenersBehindProxy = configuration.allListeners.map(configuration.usesProxyProtocol)
        exchanges = Exchanges(on: loop, log: log, configuration.exchangeSettings)
        connections = Connections(on: loop, lane: lane, configuration, log: log, common)
        exchanges.onLeave = { [weak self] in self?.left($0) }
        connections.onLeave = { [weak self] in self?.left($0) }
    }

    /// Before the loop begins.
    func serve(_ routes: Routes, _ responders: Responders) {
        connections.serve(routes)
        exchanges.responders = responders.list(for: connections)
        guard let counters = connections.counters else { return }
        exchanges.onRefusedUpgrade = { request, status in
            counters.refused(routes.find(request.path), status)
        }
    }
}

// MARK: - Connections that come

extension Worker {
    /// Takes over an accepted connection, which is counted already. On the loop's thread.
    func adopt(_ accepted: AcceptedConnection) {
        takeHeader(of: accepted, .serve)
    }

    /// Serves a connection, which is counted already.
    func serve(_ accepted: AcceptedConnection) {
        do throws(SystemError) {
            let stream = try accepted.makeStream(
                on: loop, tls: tls(for: accepted),
                drainMark: configuration.connection.sendQueueByteMark)
            begin(stream, localAddress: accepted.localAddress)
        } catch {
            left()
            logDropped(accepted.peer, error)
        }
    }

    /// `nil`: none.
    ///
    /// - Throws: `ENOTSUP` where it is not known whether there has to be TLS: without it, what is
    ///   secret would be read and answered in plain text.
    private func tls(for accepted: AcceptedConnection) throws(SystemError) -> TLSServer? {
        let index = accepted.listenerIndex
        guard areListenersSecure.indices.contains(index), !areListenersSecure[index] || tls != nil
        else {
            throw SystemError("listener \(index), which the settings do not have", code: ENOTSUP)
        }
        return areListenersSecure[index] ? tls : nil
    }

    func logDropped(_ peer: SocketAddress, _ error: SystemError) {
        log.peerEvent(
            .refusedConnection, .error, "a connection from \(peer) was dropped: \(error)")
    }

    /// Gives it a connection to adopt soon, which counts from now on. From any thread.
    ///
    /// - Returns: false if it takes none any more.
    func deal(_ connection: AcceptedConnection) -> Bool {
        openCount.add(1, ordering: .relaxed)
        let countBefore = dealt.withLock { dealt in
            defer { dealt?.append(connection) }
            return dealt?.count
        }
        // Not at once: until all that is ready has had its turn, it can be taken back.
        if countBefore == 0 { loop.submit { self.loop.afterEvents { self.adoptDealt() } } }
        if countBefore == nil { openCount.subtract(1, ordering: .relaxed) }
        return countBefore != nil
    }

    /// Whether something it was dealt is not adopted yet. From any thread.
    var hasDealt: Bool { dealt.withLock { $0?.isEmpty == false } }

    /// Takes back what it was dealt and has not adopted. From any thread.
    func takeBackDealt() -> [AcceptedConnection] {
        let taken = takeDealt()
        openCount.subtract(taken.count, ordering: .relaxed)
        return taken
    }

    /// On the loop's thread.
    private func adoptDealt() {
        for connection in takeDealt() { adopt(connection) }
    }

    private func takeDealt() -> [AcceptedConnection] {
        dealt.withLock { dealt in
            guard let taken = dealt else { return [] }
            dealt = []
            return taken
        }
    }

    /// Takes no more from other threads, but adopts what it was dealt. On the loop's thread.
    func endDealing() {
        let connections = dealt.withLock { dealt in
            defer { dealt = nil }
            return dealt ?? []
        }
        for connection in connections { adopt(connection) }
    }

    /// Answers a connection over the limit with 503, behind the header that a proxy puts in front:
    /// a client's TLS begins there. On the loop's thread.
    func refuse(_ accepted: AcceptedConnection) {
        connections.counters?.refused(nil, .serviceUnavailable)
        takeHeader(of: accepted, .refuse)
    }

    /// Answers a connection, which is not counted, with 503.
    func sendRefusal(_ accepted: AcceptedConnection) {
        do throws(SystemError) {
            let stream = try accepted.makeStream(on: loop, tls: tls(for: accepted))
            exchanges.refuse(
                stream,
                Response(
                    .serviceUnavailable,
                    text: "The server has reached its connection limit (--max-connections)."))
        } catch {
            logDropped(accepted.peer, error)
        }
    }

    /// Takes over a stream, which is counted already. On the loop's thread.
    ///
    /// - Parameters:
    ///   - user: who asks, where that is known before the first request.
    ///   - localAddress: this end of the connection, where that is known.
    func begin(_ stream: Stream, user: String? = nil, localAddress: SocketAddress? = nil) {
        if let refusal = connections.limiter?.begin(stream) {
            connections.counters?.refused(nil, refusal.status)
            exchanges.refuse(stream, refusal)
            return left()
        }
        exchanges.begin(stream, user: user, localAddress: localAddress)
        if connections.isDraining { stream.close() }
    }

    private func left(_ stream: ObjectIdentifier) {
        connections.limiter?.end(stream)
        left()
    }

    func left() {
        openCount.subtract(1, ordering: .relaxed)
        reportIfEmpty()
    }
}

extension Configuration {
    var exchangeSettings: ExchangeSettings {
        ExchangeSettings(
            headLimits: RequestHeadLimits(
                headByteLimit: headByteLimit, fieldCountLimit: fieldCountLimit),
            headTimeout: handshakeTimeout, sendTimeout: sendTimeout,
            closeTimeout: connection.closeTimeout, upgradeProtocol: "websocket")
    }
}
