import EventLoop
import HTTPProtocol
import Synchronization
import WebSocketConnection
import WebSocketProtocol

/// Opens WebSocket connections: the client's side of the protocol, on the same modules as the
/// server.
///
/// ```swift
/// let client = try WebSocketClient()
/// let socket = try await client.connect("ws://localhost:9998/echo")
/// try await socket.send("Hello")
/// let answer = try await socket.receive()
/// try await socket.close()
/// ```
///
/// One event loop and thread for all connections of a client; it ends when neither the client nor
/// an open connection is left.
public final class WebSocketClient: Sendable {
    private let running: RunningLoop
    private let endpoint: Endpoint
    private let configuration: ClientConfiguration
    private let gate = DialGate()
    private let connectionIDs = Atomic<UInt64>(0)
    private let tls = Mutex<TLSClient?>(nil)
    private let isStopped = Atomic<Bool>(false)

    /// - Parameter log: what happens on connections; errors only, unless given.
    /// - Throws: ``SystemError`` if no event loop or thread can be created.
    public init(
        _ configuration: ClientConfiguration = ClientConfiguration(), log: Log = Log(level: .error)
    ) throws(SystemError) {
        self.configuration = configuration
        Loop.ignoreBrokenPipes()
        running = try RunningLoop()
        endpoint = Endpoint(
            role: .client, loop: running.loop, log: log, settings: configuration.connection,
            name: "client",
            compressionPool: CompressionPool(configuration.connection.compression),
            unfinishedMessages: UnfinishedMessages(
                byteLimit: configuration.unfinishedMessagesByteLimit),
            owner: running, onLeave: { _ in })
    }

    /// Tasks that prefer this executor run on the thread of the connections, and save a switch
    /// of threads: `Task(executorPreference: client.executor) { … }`. They must not block.
    public var executor: any TaskExecutor { running.loop }

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
            endpoint: endpoint,
            configuration: configuration, id: connectionIDs.add(1, ordering: .relaxed).newValue,
            gate: gate)
        if isStopped.load(ordering: .relaxed) { throw .stopped }
        return try await withTaskCancellationHandler {
            await dial.connection()
        } onCancel: {
            dial.cancel()
        }.get()
    }

    /// Opens a connection, passes it to `body`, and closes it: with 1000 when that returns, with
    /// 1011 when it throws.
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
            _ = try? await socket.close(.internalError)
            throw error
        }
    }

    /// Drops all connections and ends the thread; blocks until that is done. Not from a task of
    /// ``executor``.
    public func stop() {
        guard !isStopped.exchange(true, ordering: .relaxed) else { return }
        running.loop.stop()
        running.thread.join()
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

/// A loop and its thread, which ends with this.
private final class RunningLoop: Sendable {
    let loop: Loop
    let thread: LoopThread

    init() throws(SystemError) {
        loop = try Loop()
        thread = try loop.start()
    }

    deinit { loop.stop() }
}
