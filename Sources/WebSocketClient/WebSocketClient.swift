import EventLoop
import HTTPProtocol
import Synchronization
import WebSocketConnection
import WebSocketProtocol

/// Opens WebSocket connections: the client's side of the protocol, on the same modules as the
/// server.
///
/// ```swift
/// let client = WebSocketClient()
/// let socket = try await client.connect("ws://localhost:9998/echo")
/// try await socket.send("Hello")
/// let answer = try await socket.receive()
/// try await socket.close()
/// ```
///
/// A connection runs on the event loop of the task that opens it, as the handlers of a server have
/// one; other tasks get one with a thread that the client starts for them. That ends when neither
/// the client nor an open connection is left.
public final class WebSocketClient: Sendable {
    private let configuration: ClientConfiguration
    private let log: Log
    private let unfinishedMessages: UnfinishedMessages
    private let gate = DialGate()
    private let connectionIDs = Atomic<UInt64>(0)
    private let tls = Mutex<TLSClient?>(nil)
    private let loops = Mutex(Loops())

    /// The loops that connections were opened on.
    private struct Loops {
        /// The client's own; `nil`: not needed so far.
        var own: RunningLoop?
        var used: [ObjectIdentifier: Used] = [:]
        var isStopped = false
    }

    /// Keeps neither the loop, which may be a server's, nor what its connections share.
    private struct Used {
        weak var endpoint: Endpoint?
        let open: OpenConnections
        var client: ClientLoop? { endpoint.map { ClientLoop(endpoint: $0, open: open) } }
    }

    /// - Parameter log: what happens on connections; errors only, unless given.
    public init(
        _ configuration: ClientConfiguration = ClientConfiguration(), log: Log = Log(level: .error)
    ) {
        self.configuration = configuration
        self.log = log
        unfinishedMessages = UnfinishedMessages(
            byteLimit: configuration.unfinishedMessagesByteLimit)
        Loop.ignoreBrokenPipes()
    }

    /// Tasks that prefer this executor run on the client's own thread, and so do the connections
    /// that they open: `Task(executorPreference: try client.executor) { … }`. They must not block.
    ///
    /// - Throws: why the thread cannot be started.
    public var executor: any TaskExecutor {
        get throws(SystemError) {
            try loops.withLock { loops throws(SystemError) in try Self.ownLoop(&loops).loop }
        }
    }

    private static func ownLoop(_ loops: inout Loops) throws(SystemError) -> RunningLoop {
        if let own = loops.own { return own }
        let own = try RunningLoop()
        loops.own = own
        return own
    }

    /// What the connections share that the calling task opens.
    private func clientLoop() throws(ConnectError) -> ClientLoop {
        let current = Loop.current
        return try loops.withLock { loops throws(ConnectError) in
            if loops.isStopped { throw .stopped }
            if let current, current !== loops.own?.loop {
                return clientLoop(on: current, owner: nil, &loops)
            }
            do throws(SystemError) {
                let own = try Self.ownLoop(&loops)
                return clientLoop(on: own.loop, owner: own, &loops)
            } catch {
                throw .noThread(error)
            }
        }
    }

    private func clientLoop(
        on loop: Loop, owner: RunningLoop?, _ loops: inout Loops
    ) -> ClientLoop {
        let key = ObjectIdentifier(loop)
        if let client = loops.used[key]?.client { return client }
        loops.used = loops.used.filter { $0.value.endpoint != nil }
        let client = ClientLoop(configuration, on: loop, log: log, unfinishedMessages, owner: owner)
        loops.used[key] = Used(endpoint: client.endpoint, open: client.open)
        return client
    }

    /// Opens a connection.
    ///
    /// - Parameters:
    ///   - url: `ws://[user:password@]host[:port][/path][?query]` or `wss:`, percent-encoded; the
    ///     port is 80 or 443 by default. User and password are sent as Basic authorization (RFC
    ///     7617) unless `fields` has an `Authorization` field.
    ///   - subprotocols: offered, in order of preference.
    ///   - origin: what a browser would send; `nil` for no such field.
    ///   - fields: added to the request, last and in this order.
    /// - Throws: ``ConnectError``.
    public func connect(
        _ url: String, subprotocols: [String] = [], origin: String? = nil, fields: Fields = Fields()
    ) async throws(ConnectError) -> WebSocket {
        let place = try Place(url)
        let head = try requestHead(place, subprotocols, origin, fields)
        let dial = Dial(
            place: place, request: head.request, head: head.head, tls: try tls(for: place),
            on: try clientLoop(), configuration: configuration,
            id: connectionIDs.add(1, ordering: .relaxed).newValue, gate: gate)
        return try await withTaskCancellationHandler {
            await dial.connection()
        } onCancel: {
            dial.cancel()
        }.get()
    }

    /// Opens a connection, passes it to `body`, and closes it: with 1000 when that returns; when it
    /// throws, with what a ``ClosingError`` names, and else with 1011.
    public func withConnection<Value: Sendable>(
        to url: String, subprotocols: [String] = [], origin: String? = nil,
        fields: Fields = Fields(),
        _ body: (WebSocket) async throws -> Value
    ) async throws -> Value {
        let socket = try await connect(
            url, subprotocols: subprotocols, origin: origin, fields: fields)
        do {
            let value = try await body(socket)
            try await socket.close()
            return value
        } catch {
            let close = (error as? any ClosingError)?.close ?? Close(.internalError)
            do {
                try await socket.close(close.code, reason: close.reason)
            } catch {
                _ = try? await socket.close(.internalError)
            }
            throw error
        }
    }

    /// Drops all connections and opens no more; blocks until the client's own thread, if it has
    /// one, has ended. Not from a task of ``executor``.
    public func stop() {
        let (own, used) = loops.withLock { loops in
            loops.isStopped = true
            return (loops.own.take(), loops.used.values.compactMap(\.client))
        }
        for client in used { client.stop() }
        guard let own else { return }
        own.loop.stop()
        own.thread.join()
    }

    /// The certificates and trust of all connections; read for the first one.
    private func tls(for place: Place) throws(ConnectError) -> TLSClient? {
        guard place.isSecure else { return nil }
        do throws(TLSFileError) {
            return try tls.withLock { tls throws(TLSFileError) in
                if let tls { return tls }
                let client = try TLSClient(configuration.tls)
                tls = client
                return client
            }
        } catch {
            throw .tlsFile(error)
        }
    }

    private func requestHead(
        _ place: Place, _ subprotocols: [String], _ origin: String?, _ fields: Fields
    ) throws(ConnectError) -> (request: ClientRequest, head: RequestHead) {
        var generator = SystemRandomNumberGenerator()
        var request = ClientRequest(host: place.authority, target: place.target, using: &generator)
        request.subprotocols = subprotocols
        request.origin = origin
        request.extensions = PermessageDeflate.offers(configuration.connection.compression)
        request.extraFields = fields
        if let credentials = place.credentials, fields["Authorization"] == nil {
            do throws(FieldError) {
                try request.extraFields.append("Authorization", credentials.authorization)
            } catch {
                throw .handshake(.unsendableField(error))
            }
        }
        do throws(HandshakeError) {
            return (request, try request.head())
        } catch {
            throw .handshake(error)
        }
    }
}
