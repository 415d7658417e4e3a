import EventLoop
import HTTPProtocol
import WebSocketConnection
import WebSocketProtocol

/// One attempt to open a connection: names, TCP, handshake, in that order.
///
/// `@unchecked Sendable`: touched on its loop's thread only; `connection()` and `cancel()` go
/// there.
final class Dial: StreamDelegate, @unchecked Sendable {
    private let place: Place
    private let request: ClientRequest
    private let head: RequestHead
    /// `nil`: without TLS.
    private let tls: TLSClient?
    private let endpoint: Endpoint
    private let configuration: ClientConfiguration
    private let id: UInt64
    private let gate: DialGate
    private let open: OpenConnections

    private var addresses: ArraySlice<SocketAddress> = []
    /// The one that is tried, or waited for at the gate.
    private var address: SocketAddress?
    private var connector: Connector?
    private var stream: EventLoop.Stream?
    private var parser: ResponseHeadParser
    private var interimCount = 0
    private var refusal: Refusal?
    private var continuation: UnsafeContinuation<Outcome, Never>?
    private var outcome: Outcome?
    private lazy var timer = endpoint.loop.makeTimer { [unowned self] in
        refusal == nil ? finish(.failure(.timedOut)) : finishRefusal()
    }

    /// RFC 9110 §15.2: "A client MUST be able to parse one or more 1xx responses received prior to
    /// a final response". More than this many are refused.
    private static let interimLimit = 16
    /// How long a body is awaited that explains a refusal. The status is known by then.
    private static let refusalTimeLimit: Duration = .seconds(1)

    typealias Outcome = Result<WebSocket, ConnectError>

    init(
        place: Place, request: ClientRequest, head: RequestHead, tls: TLSClient?,
        on client: ClientLoop, configuration: ClientConfiguration, id: UInt64, gate: DialGate
    ) {
        self.place = place
        self.request = request
        self.head = head
        self.tls = tls
        endpoint = client.endpoint
        open = client.open
        self.configuration = configuration
        self.id = id
        self.gate = gate
        parser = ResponseHeadParser(
            limits: RequestHeadLimits(headByteLimit: configuration.headByteLimit))
    }

    /// Dials and waits for the outcome.
    func connection() async -> Outcome {
        let began = MonotonicTime.current()
        var addresses: [SocketAddress]
        do throws(ResolveError) {
            addresses = try await SocketAddress.resolve(waitingFor: place.host, port: place.port)
            if let zone = place.zone {
                for index in addresses.indices {
                    addresses[index] = try addresses[index].inZone(zone)
                }
            }
        } catch {
            return .failure(.unknownHost(error))
        }
        return await withUnsafeContinuation { [addresses] continuation in
            endpoint.loop.submit { [self] in
                if let outcome { return continuation.resume(returning: outcome) }
                self.continuation = continuation
                guard open.add(id, drop: { [self] in finish(.failure(.stopped)) }) else {
                    return finish(.failure(.stopped))
                }
                self.addresses = addresses[...]
                endpoint.loop.schedule(timer, at: began + configuration.connectTimeout)
                connectToNext(after: nil)
            }
        }
    }

    func cancel() {
        endpoint.loop.submit { [self] in finish(.failure(.cancelled)) }
    }

    private func finish(_ outcome: Outcome) {
        guard self.outcome == nil else { return }
        self.outcome = outcome
        endpoint.loop.cancel(timer)
        connector?.close()
        leaveGate()
        if case .failure = outcome {
            open.remove(id)
            stream?.close()
        }
        continuation?.resume(returning: outcome)
        continuation = nil
    }
}

// MARK: - TCP

extension Dial {
    /// Tries the addresses one after the other: `localhost` may be served on one of two only.
    private func connectToNext(after error: (SocketAddress, SystemError)?) {
        leaveGate()
        guard let next = addresses.popFirst() else {
            return finish(.failure(error.map { .unreachable($0.0, $0.1) } ?? .lost))
        }
        address = next
        if gate.enter(self, next.host) { beginConnecting() }
    }

    private func leaveGate() {
        guard let address else { return }
        self.address = nil
        gate.leave(self, address.host)
    }

    /// From the thread of any loop.
    func takeTurn() {
        if endpoint.loop.isCurrent { return beginConnecting() }
        endpoint.loop.submit { [self] in beginConnecting() }
    }

    private func beginConnecting() {
        guard let address else { return }
        do throws(SystemError) {
            connector = try Connector(to: address, on: endpoint.loop) { [unowned self] result in
                connector = nil
                switch consume result {
                case .success(let socket): begin(socket, address)
                case .failure(let error): connectToNext(after: (address, error))
                }
            }
        } catch {
            connectToNext(after: (address, error))
        }
    }

    private func begin(_ socket: consuming FileDescriptor, _ address: SocketAddress) {
        do throws(SystemError) {
            let stream = try EventLoop.Stream(
                socket, peer: address, on: endpoint.loop,
                drainMark: endpoint.settings.sendQueueByteMark)
            self.stream = stream
            stream.delegate = self
            if let tls { try stream.startTLS(tls, host: place.host) }
            stream.write(head.serialized())
        } catch {
            finish(.failure(.unreachable(address, error)))
        }
    }
}

// MARK: - The handshake

extension Dial {
    func streamReceived(_ bytes: UnsafeMutableRawBufferPointer) {
        var rest = UnsafeRawBufferPointer(bytes)
        if refusal != nil { return receivedRefusal(rest) }
        do throws(ResponseError) {
            while case .complete(let answer, let byteCount) = try parser.parse(rest) {
                rest = UnsafeRawBufferPointer(rebasing: rest[byteCount...])
                guard isInterim(answer), interimCount < Self.interimLimit else {
                    return received(answer, rest: rest)
                }
                interimCount += 1
            }
        } catch {
            finish(.failure(.malformedAnswer(error)))
        }
    }

    /// Whether another response follows, such as after 103 (Early Hints).
    private func isInterim(_ answer: ResponseHead) -> Bool {
        answer.status.code < 200 && answer.status != .switchingProtocols
    }

    private func received(_ answer: ResponseHead, rest: UnsafeRawBufferPointer) {
        guard answer.status == .switchingProtocols else {
            refusal = Refusal(answer, byteLimit: configuration.refusalByteLimit)
            endpoint.loop.schedule(timer, at: .current() + Self.refusalTimeLimit)
            return receivedRefusal(rest)
        }
        do throws(HandshakeError) {
            let chosen = try request.check(answer)
            let accepted = try OpeningHandshake.check(head)
            guard let stream else { return finish(.failure(.lost)) }
            let description = try describe(accepted, chosen, stream)
            let connection = Connection(
                id: id, endpoint: endpoint, request: description, stream: stream)
            open.replace(id) { connection.drop() }
            connection.start(firstBytes: Array(rest))
            finish(.success(WebSocket(connection)))
        } catch {
            finish(.failure(.handshake(error)))
        }
    }

    /// The handshake as both ends know it now.
    private func describe(
        _ client: ClientHandshake, _ chosen: ServerHandshake, _ stream: EventLoop.Stream
    ) throws(HandshakeError) -> HandshakeRequest {
        let target = RequestTarget(place.target)
        let path = target?.path ?? place.target
        var description = HandshakeRequest(
            head: head, path: ResourcePath.percentDecoded(path) ?? path, query: target?.query,
            endpoint: endpoint, remoteAddress: stream.peer, localAddress: stream.localAddress,
            tls: stream.tlsInfo)
        description.subprotocol = chosen.subprotocol
        // Only one kind is offered, so only one may be accepted.
        if let answer = chosen.extensions.last {
            guard chosen.extensions.count == 1 else {
                throw .invalidExtensionAnswer(ExtensionOffer.serialize(chosen.extensions))
            }
            description.compressionParameters = try PermessageDeflate.check(
                answer, offered: request.extensions)
        }
        return description
    }

    private func receivedRefusal(_ bytes: UnsafeRawBufferPointer) {
        refusal?.read(bytes)
        if refusal?.isComplete == true { finishRefusal() }
    }

    private func finishRefusal() {
        guard let refusal else { return finish(.failure(.lost)) }
        finish(.failure(.refused(refusal.head, body: refusal.body)))
    }

    func streamReachedEnd() { finishRefusal() }
    func streamDrained() {}
    func streamFailed(_ error: SystemError) { finishRefusal() }
    func streamFailed(_ error: TLSError) { finish(.failure(.tls(error))) }
    func streamClosed() { finish(.failure(.stopped)) }
}
