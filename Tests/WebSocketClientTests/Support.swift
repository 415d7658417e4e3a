import EventLoop
import HTTPProtocol
import WebSocketClient
import WebSocketHost

extension ClientConfiguration {
    /// For tests that share the machine with others, which may keep it busy for long.
    static var patient: Self {
        var configuration = Self()
        configuration.connectTimeout = .seconds(300)
        // A Ping of ours between the frames is one too many for those who count them.
        configuration.connection.pingInterval = .zero
        return configuration
    }
}

/// A server of this project on a free port, and a client of its own, for one test.
struct Pair {
    let server: Server
    let client: WebSocketClient
    let port: UInt16

    init(
        _ configuration: ClientConfiguration = .patient, serving routes: Routes
    ) throws {
        var serverConfiguration = Configuration()
        serverConfiguration.host = "127.0.0.1"
        serverConfiguration.port = 0
        serverConfiguration.threadCount = 1
        serverConfiguration.connection.pingInterval = .zero
        server = try Server(serverConfiguration, routes: routes, log: Log(level: .critical))
        port = try server.start()[0].port
        client = WebSocketClient(configuration, log: Log(level: .critical))
    }

    init(_ configuration: ClientConfiguration, _ handler: WebSocketHandler) throws {
        var routes = Routes()
        routes.add("/test", handler)
        try self.init(configuration, serving: routes)
    }

    init(_ handler: WebSocketHandler) throws { try self.init(.patient, handler) }

    var url: String { "ws://127.0.0.1:\(port)/test" }

    func run(_ body: (WebSocketClient, String) async throws -> Void) async throws {
        defer {
            server.forceStop()
            server.waitUntilStopped()
            client.stop()
        }
        try await body(client, url)
    }
}

/// Counts how many there are at once, and how many there were at most.
actor Presence {
    private var count = 0
    private(set) var most = 0

    func enter() {
        count += 1
        most = max(most, count)
    }

    func leave() { count -= 1 }
}

/// A TCP server that answers each connection with the same bytes, whatever is asked.
final class CannedServer: Sendable {
    let port: UInt16
    private let loop: Loop
    private let thread: LoopThread
    private let requests = AsyncStream<Void>.makeStream()

    /// - Parameters:
    ///   - answer: `nil`: nothing is sent, and the connection stays open.
    ///   - staysOpen: whether the connection stays open after the answer.
    init(_ answer: String?, staysOpen: Bool = false) throws {
        let addresses = try SocketAddress.resolve(host: "127.0.0.1", port: 0)
        let socket = try ListeningSocket(at: addresses[0], backlog: 16)
        port = socket.address.port
        let loop = try Loop()
        self.loop = loop
        thread = try loop.start()
        loop.submit { [requests] in
            // The loop keeps the listener.
            _ = try? Listener(socket, on: loop) { accepted in
                guard let stream = try? accepted.makeStream(on: loop, tls: nil) else { return }
                stream.delegate = Answering(
                    stream, answer, staysOpen, onRequest: { requests.continuation.yield() })
            }
        }
    }

    deinit {
        loop.stop()
        thread.join()
    }

    var url: String { "ws://127.0.0.1:\(port)/" }

    /// Waits until a request has begun to come.
    func begun() async {
        var iterator = requests.stream.makeAsyncIterator()
        await iterator.next()
    }
}

/// Sends its answer once the request has begun to come.
private final class Answering: StreamDelegate {
    private unowned let stream: EventLoop.Stream
    private var answer: String?
    private let staysOpen: Bool
    private let onRequest: () -> Void

    init(
        _ stream: EventLoop.Stream, _ answer: String?, _ staysOpen: Bool,
        onRequest: @escaping () -> Void
    ) {
        self.stream = stream
        self.answer = answer
        self.staysOpen = staysOpen
        self.onRequest = onRequest
    }

    func streamReceived(_ bytes: UnsafeMutableRawBufferPointer) {
        onRequest()
        guard let answer else { return }
        self.answer = nil
        stream.write(Array(answer.utf8))
        if !staysOpen { stream.closeAfterSending(linger: .seconds(5)) }
    }

    func streamReachedEnd() { stream.close() }
    func streamDrained() {}
    func streamFailed(_ error: SystemError) {}
    func streamClosed() {}
}
