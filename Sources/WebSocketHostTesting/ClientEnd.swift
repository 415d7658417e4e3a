import EventLoop
import HTTPProtocol
import WebSocketHost
import WebSocketProtocol

/// A client on the loop: the peer of a stream, and the client's half of the protocol.
///
/// `@unchecked Sendable`: everything mutable is touched on the loop's thread only.
final class ClientEnd: @unchecked Sendable {
    /// What came, in order; Pings and Pongs have queues of their own.
    enum Event {
        case message(Message)
        case close(Close)
        case fault(ProtocolError)
        case end
    }

    /// What a waiting call finds in the queues.
    enum Finding<Value: Sendable> {
        case found(Value)
        case notYet
        /// It cannot come any more; what came instead.
        case other(String)
        case thrown(any Error)
    }

    let peer: MemoryPeer
    let settings: TestClientSettings
    private let loop: Loop
    /// The handshake that it offers; `nil`: it sends another request.
    private let handshake: ClientRequest?
    /// What it sends first.
    private let firstBytes: [UInt8]
    private var parser = ResponseHeadParser()
    private(set) var answer: Answer?
    private(set) var refusal: (head: ResponseHead, body: [UInt8])?
    /// The answer to the handshake breaks the rules.
    private(set) var answerError: (any Error)?
    private var session: Session?
    var events: ArraySlice<Event> = []
    var pings: ArraySlice<[UInt8]> = []
    var pongs: ArraySlice<[UInt8]> = []
    private(set) var hasEnded = false
    /// Each checks the queues, and returns whether its wait is over.
    private var waiters: [() -> Bool] = []
    private var isCheckDue = false

    struct Answer: Sendable {
        let head: ResponseHead
        let subprotocol: String?
        let compression: DeflateParameters?
    }

    init(
        _ host: TestHost, _ target: String, origin: String?, subprotocols: [String], fields: Fields,
        tls: TLSInfo?, settings: TestClientSettings
    ) throws {
        loop = host.loop
        self.settings = settings
        peer = MemoryPeer(tls: tls)
        var generator = SystemRandomNumberGenerator()
        var request = ClientRequest(
            host: "localhost:\(host.configuration.port)", target: target, using: &generator)
        request.origin = origin
        request.subprotocols = subprotocols
        if let compression = settings.compression {
            request.extensions = PermessageDeflate.offers(compression)
        }
        request.extraFields = fields
        handshake = request
        firstBytes = try request.head().serialized()
    }

    /// A client that asks for something else than a handshake.
    init(_ host: TestHost, _ head: RequestHead, body: [UInt8], tls: TLSInfo?) {
        loop = host.loop
        settings = TestClientSettings()
        peer = MemoryPeer(tls: tls)
        handshake = nil
        firstBytes = head.serialized() + body
    }

    /// Begins to read: a server may have an answer before there is a request. From then on to the
    /// end of the stream the peer keeps this.
    func listen() {
        peer.onBytes = { [self] bytes in received(bytes) }
        peer.onEnd = { [self] in reachedEnd() }
    }

    /// Sends the request.
    func offer() { peer.send(firstBytes) }
}

// MARK: - What comes

extension ClientEnd {
    private func received(_ bytes: UnsafeRawBufferPointer) {
        checkSoon()
        if refusal != nil {
            refusal?.body.append(contentsOf: bytes)
            return
        }
        if session != nil { return receivedFrames(Array(bytes)) }
        do {
            guard case .complete(let head, let byteCount) = try parser.parse(bytes) else { return }
            let rest = Array(bytes[byteCount...])
            if head.status == .switchingProtocols {
                try open(head)
                if !rest.isEmpty { receivedFrames(rest) }
            } else {
                refusal = (head, rest)
            }
        } catch {
            answerError = error
        }
    }

    private func open(_ head: ResponseHead) throws {
        guard let handshake else { return }
        let chosen = try handshake.check(head)
        let compression = try chosen.extensions.last.map {
            try PermessageDeflate.check($0, offered: handshake.extensions)
        }
        session = Session(
            role: .client, messageByteLimit: settings.messageByteLimit,
            compression: compression.map {
                SessionCompression(
                    $0, pool: CompressionPool(settings.compression ?? CompressionSettings()))
            })
        answer = Answer(head: head, subprotocol: chosen.subprotocol, compression: compression)
    }

    private func receivedFrames(_ bytes: [UInt8]) {
        var bytes = bytes
        bytes.withUnsafeMutableBytes { buffer in
            var input = InputBytes(buffer)
            do throws(ProtocolError) {
                while let event = try session?.nextEvent(from: &input) { received(event) }
            } catch {
                input.skipAll()
                events.append(.fault(error))
            }
        }
    }

    private func received(_ event: Session.Event) {
        switch event {
        case .message(let message): events.append(.message(message))
        case .piece: break  // never asked for
        case .pong(let payload): pongs.append(payload)
        case .ping(let payload):
            pings.append(payload)
            if settings.answersPings { _ = sendControl(.pong, payload) }
        case .close(let close):
            events.append(.close(close))
            if settings.answersClose, session?.hasSentClose == false { _ = sendClose(close) }
        }
    }

    private func reachedEnd() {
        hasEnded = true
        events.append(.end)
        // A client that sees the end closes its half.
        peer.end()
        peer.onBytes = { _ in }
        peer.onEnd = {}
        checkSoon()
    }
}

// MARK: - What goes

extension ClientEnd {
    /// §5.3: fresh for each frame.
    private var maskingKey: UInt32 { .random(in: .min ... .max) }

    /// Makes a frame with the session and sends it.
    ///
    /// - Returns: why it cannot be sent.
    private func send(_ make: (inout Session) throws(SendError) -> [UInt8]) -> String? {
        guard var session else { return "the connection is not open" }
        if hasEnded { return "the server has ended the connection" }
        do throws(SendError) {
            let bytes = try make(&session)
            self.session = session
            peer.send(bytes)
            return nil
        } catch {
            return "\(error)"
        }
    }

    func send(_ message: Message) -> String? {
        send { session throws(SendError) in try session.frame(for: message, maskingKey: maskingKey)
        }
    }

    /// A whole message, or a fragment of one.
    func sendPart(_ message: Message, isFinal: Bool) -> String? {
        if isFinal, session?.sendingKind == nil { return send(message) }
        let (kind, bytes): (Opcode, [UInt8]) =
            switch message {
            case .text(let text): (.text, Array(text.utf8))
            case .binary(let bytes): (.binary, bytes)
            }
        return send { session throws(SendError) in
            try session.headerForData(
                kind, payloadByteCount: bytes.count, isFinal: isFinal, maskingKey: maskingKey
            ).bytes(bytes)
        }
    }

    func sendControl(_ opcode: Opcode, _ payload: [UInt8]) -> String? {
        send { session throws(SendError) in
            try session.frameForControl(opcode, payload, maskingKey: maskingKey)
        }
    }

    func sendClose(_ close: Close) -> String? {
        send { session throws(SendError) in try session.frameForClose(close, maskingKey: maskingKey)
        }
    }
}

// MARK: - Waiting

extension ClientEnd {
    /// Waits until `find` finds something, and takes it.
    func take<Value: Sendable>(
        _ what: String, _ host: TestHost, _ place: TestPlace,
        _ find: @escaping @Sendable (ClientEnd) -> Finding<Value>
    ) async throws -> Value {
        let explain: @Sendable () -> String = {
            "expected \(what), but nothing came: the handler waits, or never rests "
                + "(\(host.nextTimer()))"
                + host.lastLogLine
        }
        return try await host.wait(place, explain: explain) { [self] (wait: Wait<Value>) in
            waiters.append { [unowned self] in
                if wait.isOver { return true }
                switch find(self) {
                case .notYet: return false
                case .found(let value): wait.end(.success(value))
                case .thrown(let error): wait.end(.failure(error))
                case .other(let instead):
                    wait.end(
                        .failure(
                            place.failure("expected \(what), but \(instead)\(host.lastLogLine)")))
                }
                return true
            }
            checkSoon()
        }
    }

    /// Checks once everything has run that can: nothing more comes then.
    private func checkSoon() {
        guard !isCheckDue else { return }
        isCheckDue = true
        loop.whenIdle { [self] in
            isCheckDue = false
            waiters.removeAll { $0() }
        }
    }
}
