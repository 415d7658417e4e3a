import EventLoop
import HTTPProtocol
import HTTPServer
import Synchronization
import WebSocketConnection
import WebSocketProtocol

/// A handshake that passed the checks, on its way to become a connection: the handler's first hook,
/// the 101, then the hook that talks. All in the connection's one task.
///
/// `@unchecked Sendable`: everything mutable is touched on the loop's thread only.
final class Handshake: OngoingAnswer, @unchecked Sendable {
    let exchange: Exchange
    private let connections: Connections
    private let route: Route
    private let hooks: WebSocketHandler.Hooks
    private let client: ClientHandshake
    private let plain: Request
    @exclusivity(unchecked) private var request: HandshakeRequest
    /// Until the connection has it.
    @exclusivity(unchecked) private(set) var task: Task<Void, Never>?
    @exclusivity(unchecked) private var hasBegun = false
    private let begun: MonotonicTime
    /// Whether the client's end is no loss: it was refused without an answer.
    @exclusivity(unchecked) private var isRefused = false
    /// What the hook reads by itself: see Handshake+Raw.
    @exclusivity(unchecked) var raw = RawReceiving()

    /// - Parameters:
    ///   - handler: the route's.
    ///   - client: what the checks of `plain` found.
    init(
        _ exchange: Exchange, _ plain: Request, on connections: Connections, route: Route,
        handler: WebSocketHandler, client: ClientHandshake
    ) {
        self.exchange = exchange
        self.connections = connections
        self.route = route
        hooks = handler.hooks
        self.client = client
        begun = exchange.loop.now
        self.plain = plain
        request = HandshakeRequest(
            head: plain.head, path: plain.path, query: plain.query,
            endpoint: connections.endpoint(of: route), remoteAddress: exchange.address(of: plain),
            localAddress: exchange.localAddress, tls: exchange.stream.tlsInfo, user: plain.user,
            proxy: connections.configuration.proxy(of: plain, exchange))
    }

    var loop: Loop { exchange.loop }
    private var stream: Stream { exchange.stream }
    private var log: Log { exchange.log }

    /// The hook runs: the handshake is neither answered nor lost.
    var isHookRunning: Bool { task != nil && !stream.isClosed }

    // MARK: What the exchange reports

    var needsClientEnd: Bool { true }

    func begin() { task = connections.tasks.begin(self) }

    func bytesArrived() {
        if raw.waiter != nil {
            return raw.waiter.resume(returning: .success(exchange.takePipelined()))
        }
        // What comes in one go with the handshake may be more, and waits for the task to begin.
        let byteLimit = exchange.owner.settings.pipelinedByteLimit
        guard hasBegun, exchange.pipelinedByteCount > byteLimit else { return }
        // To pause instead would be blind to the client's end, for as long as the hook takes.
        log.peerEvent(
            .earlyData, .info,
            "more than \(byteLimit) bytes before the answer to the handshake: \(stream.peer), "
                + "closed")
        exchange.close()
    }

    func clientEnded() {
        // Nobody would read the answer, unless the hook looks for the end itself.
        if raw.hasBegun && task != nil { endRaw() } else { exchange.close() }
    }

    func drained() {}

    func abandon() {
        raw.waiter.resume(returning: .failure(.lost))
        task?.cancel()
        if !isRefused { connections.counters?.lostHandshake(of: route) }
    }
}

// MARK: - The task

extension Handshake {
    /// Runs the handshake hook and answers.
    ///
    /// What it calls is not inlined: with the frames of those, its own would not fit in the first
    /// piece of memory that the task has for frames, and a second one of 1 KiB would be the task's
    /// for good.
    ///
    /// - Returns: the open connection and the hook that talks; `nil` if the handshake failed.
    nonisolated(nonsending) func open() async
        -> (Connection, WebSocketHandler.TransferData)?
    {
        hasBegun = true
        loop.note(activity: route.activity)
        do {
            let transferData = try await runHook()
            return establish().map { ($0, transferData) }
        } catch {
            reject(error)
            return nil
        }
    }

    /// - Returns: the hook that talks.
    @inline(never)
    private nonisolated(nonsending) func runHook() async throws -> WebSocketHandler.TransferData {
        guard let prepare = hooks.prepare else { return hooks.transferData }
        request.unsafeStream = self
        defer { request.unsafeStream = nil }
        return try await prepare(&request)
    }

    /// Answers the handshake; `nil` if that fails.
    @inline(never)
    private func establish() -> Connection? {
        guard !stream.isClosed, sendAnswer() else { return nil }
        let (timer, firstBytes) = exchange.handOver()
        if plain.client != nil { stream.peer = request.remoteAddress }
        let connection = Connection(
            id: connections.nextID(), endpoint: connections.endpoint(of: route), request: request,
            stream: stream, timer: timer)
        // The connection's from now on: to cancel it has to end the handler's wait as well.
        connection.task = task
        task = nil
        connections.add(connection, to: route, after: loop.currentTime - begun)
        connection.start(firstBytes: firstBytes)
        if connections.isDraining { connection.sendClose(Close(.goingAway)) }
        return connection
    }

    @inline(never)
    private func reject(_ error: any Error) {
        task = nil
        guard !stream.isClosed else { return }
        isRefused = true
        switch error {
        case let rejection as HandshakeRejection: exchange.respond(rejection, to: plain)
        default:
            var response = Response(.forbidden, text: "The handler refused the handshake.")
            response.refusal = HandshakeRefusal(
                "doExtraHandshake threw \(error)", .failedHandshake, .error)
            exchange.respond(response, to: plain)
        }
    }
}

// MARK: - The 101

extension Handshake {
    /// Sends the 101, or what the handler put in its place; false if it cannot be sent.
    private func sendAnswer() -> Bool {
        warnOfSubprotocol()
        let compression = acceptedCompression()
        do throws(FieldError) {
            if let bytes = request.unsafeResponse {
                stream.write(bytes)
            } else {
                stream.write(try head(compression?.answer))
            }
        } catch {
            reject(error)
            return false
        }
        request.compressionParameters = compression?.parameters
        logCompression(compression?.answer)
        return true
    }

    /// The head that opens the connection.
    private func head(_ compression: ExtensionOffer?) throws(FieldError) -> [UInt8] {
        var extraFields = Fields()
        if let subprotocol = request.unsafeSubprotocol {
            try extraFields.append("Sec-WebSocket-Protocol", subprotocol)
        }
        extraFields.append(contentsOf: request.responseFields)
        return try OpeningHandshake.answer(
            to: client, subprotocol: request.subprotocol,
            extensions: compression.map { [$0] } ?? [], extraFields: extraFields)
    }

    /// What is answered to the client's offers. A handler's own answer accepts no offer.
    private func acceptedCompression() -> (answer: ExtensionOffer, parameters: DeflateParameters)? {
        guard !client.offeredExtensions.isEmpty, request.allowsCompression,
            request.unsafeResponse == nil
        else { return nil }
        var settings = request.endpoint.settings.compression
        settings.windowBits = min(settings.windowBits, request.compressionWindowBits ?? .max)
        return PermessageDeflate.accept(client.offeredExtensions, settings)
    }

    private func logCompression(_ answer: ExtensionOffer?) {
        let offers = client.offeredExtensions
        guard !offers.isEmpty else { return }
        log.compression(
            .debug,
            "\(escaped(route.path)) \(request.remoteAddress) offers "
                + "\(escaped(ExtensionOffer.serialize(offers))): "
                + (answer.map { "agreed on \($0)" } ?? "no compression"))
    }

    private func warnOfSubprotocol() {
        let offers = client.offeredSubprotocols
        guard !offers.isEmpty, request.subprotocol == nil, request.unsafeSubprotocol == nil,
            !route.hasWarnedOfSubprotocol.exchange(true, ordering: .relaxed)
        else { return }
        let offered = offers.map { escaped($0, limit: 40) }
        log(
            .warning,
            "\(escaped(route.path)) chose none of the subprotocols offered "
                + "(\(offered.joined(separator: ", "))): browsers drop such a connection. "
                + "Set request.subprotocol in doExtraHandshake. (Logged once per route.)")
    }
}
