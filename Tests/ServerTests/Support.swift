import EventLoop
import Glibc
import HTTPProtocol
import Synchronization
import WebSocketHost
import WebSocketProtocol

/// A server on a free port of 127.0.0.1 for one test.
struct TestServer {
    let server: Server
    let port: UInt16

    init(
        threads: Int = 1, log: Log = Log(level: .critical), _ configuration: Configuration,
        _ routes: Routes
    ) throws {
        var configuration = configuration
        configuration.host = "127.0.0.1"
        configuration.port = 0
        configuration.threadCount = threads
        server = try Server(configuration, routes: routes, log: log)
        port = try server.start()[0].port
    }

    /// Serves one handler at `/test` and nothing else.
    init(_ configuration: Configuration, _ handler: WebSocketHandler, threads: Int = 1) throws {
        var routes = Routes()
        routes.add("/test", handler)
        try self.init(threads: threads, configuration, routes)
    }

    /// Without Pings of its own, which a busy machine would let come between the frames.
    init(_ handler: WebSocketHandler, threads: Int = 1) throws {
        var configuration = Configuration()
        configuration.connection.pingInterval = .zero
        try self.init(configuration, handler, threads: threads)
    }

    /// Runs `body` on a thread that may block, then stops the server.
    func run<Result: Sendable>(
        _ body: @escaping @Sendable (UInt16) throws -> Result
    ) async throws -> Result {
        let port = port
        defer {
            server.forceStop()
            server.waitUntilStopped()
        }
        return try await onThread { try body(port) }
    }
}

/// Runs blocking code on a thread of its own, so that the concurrency pool is left to others.
func onThread<Result: Sendable>(_ body: @escaping @Sendable () throws -> Result) async throws
    -> Result
{
    try await withCheckedThrowingContinuation { continuation in
        do {
            _ = try LoopThread { continuation.resume(with: Swift.Result { try body() }) }
        } catch {
            continuation.resume(throwing: error)
        }
    }
}

/// What a test client can run into.
enum TestClientError: Error {
    case system(String, Int32)
    case refused(ResponseHead)
    case ended
}

/// A blocking client: a socket, and the client half of the protocol rooms.
final class TestClient {
    private let fd: Int32
    var session = Session(role: .client, messageByteLimit: 1 << 26)
    var input: [UInt8] = []
    private(set) var answer = ResponseHead(status: .ok)
    private var generator = SystemRandomNumberGenerator()

    /// How long any single read may take; far beyond what is needed on a busy machine.
    private static let patienceSeconds = 120

    /// Connects TCP only.
    init(tcp port: UInt16) throws {
        fd = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        let result = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(fd, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard result == 0 else { throw TestClientError.system("connect", errno) }
        var patience = timeval(tv_sec: Self.patienceSeconds, tv_usec: 0)
        setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
        setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
    }

    deinit { close(fd) }

    /// Connects and shakes hands.
    convenience init(
        _ port: UInt16, _ target: String = "/test", origin: String? = nil,
        subprotocols: [String] = [], offering extensions: [ExtensionOffer] = [],
        fields: Fields = Fields()
    ) throws {
        try self.init(tcp: port)
        var request = ClientRequest(host: "127.0.0.1:\(port)", target: target, using: &generator)
        request.origin = origin
        request.subprotocols = subprotocols
        request.extensions = extensions
        request.extraFields = fields
        try write(request.head().serialized())
        answer = try readHead()
        guard answer.status == .switchingProtocols else { throw TestClientError.refused(answer) }
        _ = try request.check(answer)
    }

    /// Uses what was agreed on for compression from now on, and sends everything compressed.
    ///
    /// - Parameter offers: what was offered; `nil`: no parameters.
    func compress(_ settings: CompressionSettings, offered offers: [ExtensionOffer]? = nil) throws {
        let accepted = answer.fields["Sec-WebSocket-Extensions"].flatMap(ExtensionOffer.parse) ?? []
        guard let first = accepted.first else { throw TestClientError.refused(answer) }
        let parameters = try PermessageDeflate.check(
            first, offered: offers ?? [ExtensionOffer(first.name)])
        var settings = settings
        settings.thresholdByteCount = 0
        session = Session(
            role: .client, messageByteLimit: 1 << 26,
            compression: SessionCompression(parameters, pool: CompressionPool(settings)))
    }

    func write(_ bytes: [UInt8]) throws {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes {
                Glibc.send(fd, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            guard count > 0 else { throw TestClientError.system("send", errno) }
            rest = rest.dropFirst(count)
        }
    }

    /// The next bytes; empty at the end of the stream.
    func readSome() throws -> [UInt8] {
        var buffer = [UInt8](repeating: 0, count: 65_536)
        let count = recv(fd, &buffer, buffer.count, 0)
        guard count >= 0 else { throw TestClientError.system("recv", errno) }
        return Array(buffer[..<count])
    }

    /// Everything up to the end of the stream.
    func readToEnd() throws -> [UInt8] {
        var all = input
        while true {
            let bytes = try readSome()
            if bytes.isEmpty { return all }
            all += bytes
        }
    }

    func readHead() throws -> ResponseHead {
        var parser = ResponseHeadParser()
        while true {
            if input.isEmpty {
                input = try readSome()
                if input.isEmpty { throw TestClientError.ended }
            }
            switch try input.withUnsafeBytes({ try parser.parse($0) }) {
            case .incomplete: input = []
            case .complete(let head, let byteCount):
                input.removeFirst(byteCount)
                return head
            }
        }
    }

    // MARK: Messages

    private func maskingKey() -> UInt32 { generator.next() }

    func send(_ message: Message) throws {
        try write(session.frame(for: message, maskingKey: maskingKey()))
    }

    func send(_ text: String) throws { try send(.text(text)) }

    func sendFragment(_ kind: Opcode, _ bytes: [UInt8], isFinal: Bool) throws {
        let header = try session.headerForData(
            kind, payloadByteCount: bytes.count, isFinal: isFinal, maskingKey: maskingKey())
        try write(header.bytes(bytes))
    }

    func ping(_ payload: [UInt8]) throws {
        try write(session.frameForControl(.ping, payload, maskingKey: maskingKey()))
    }

    func pong(_ payload: [UInt8]) throws {
        try write(session.frameForControl(.pong, payload, maskingKey: maskingKey()))
    }

    func sendClose(_ close: Close = Close(.normalClosure)) throws {
        try write(session.frameForClose(close, maskingKey: maskingKey()))
    }

    /// The next event; throws `ended` at the end of the stream.
    func event() throws -> Session.Event {
        while true {
            if let event = try nextBuffered() { return event }
            input = try readSome()
            if input.isEmpty { throw TestClientError.ended }
        }
    }

    private func nextBuffered() throws -> Session.Event? {
        guard !input.isEmpty else { return nil }
        var consumed = 0
        let event = try input.withUnsafeMutableBytes { buffer in
            var bytes = InputBytes(buffer)
            let event = try session.nextEvent(from: &bytes)
            consumed = buffer.count - bytes.remainingByteCount
            return event
        }
        input.removeFirst(consumed)
        return event
    }

    /// The next message, past control frames.
    func message() throws -> Message {
        while true {
            if case .message(let message) = try event() { return message }
        }
    }

    func text() throws -> String {
        guard case .text(let text) = try message() else { throw TestClientError.ended }
        return text
    }

    /// The Close that comes next, past everything else.
    func closeReceived() throws -> Close {
        while true {
            if case .close(let close) = try event() { return close }
        }
    }

    /// Whether the stream has ended in order, without a reset.
    func endsCleanly() throws -> Bool { try readSome().isEmpty }

    /// Ends this side's half of the stream; the server's can still be read.
    func halfClose() { shutdown(fd, Int32(SHUT_WR)) }

    /// Drops the connection with a reset.
    func reset() {
        var option = linger(l_onoff: 1, l_linger: 0)
        setsockopt(fd, SOL_SOCKET, SO_LINGER, &option, socklen_t(MemoryLayout<linger>.size))
        shutdown(fd, Int32(SHUT_RDWR))
    }
}

/// Keeps a loop's thread busy until another thread opens it, so that a test decides what one turn
/// of the loop finds.
final class Gate: Sendable {
    private let isEntered = Atomic<Bool>(false)
    private let isOpen = Atomic<Bool>(false)

    /// Blocks the caller until ``open()``.
    func block() {
        isEntered.store(true, ordering: .sequentiallyConsistent)
        while !isOpen.load(ordering: .sequentiallyConsistent) { sched_yield() }
    }

    /// Returns once another thread is in ``block()``.
    func waitUntilBlocked() {
        while !isEntered.load(ordering: .sequentiallyConsistent) { sched_yield() }
    }

    func open() { isOpen.store(true, ordering: .sequentiallyConsistent) }
}

/// Something that happens once, for a test to wait for.
final class Signal<Value: Sendable>: Sendable {
    private let stream: AsyncStream<Value>
    private let continuation: AsyncStream<Value>.Continuation

    init() { (stream, continuation) = AsyncStream.makeStream() }

    func send(_ value: Value) { continuation.yield(value) }

    /// The next value that was sent.
    func next() async -> Value? {
        var iterator = stream.makeAsyncIterator()
        return await iterator.next()
    }
}
