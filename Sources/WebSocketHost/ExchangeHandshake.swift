import EventLoop
import HTTPProtocol
import Synchronization
import WebSocketProtocol

// The way of a request that asks for a WebSocket: the checks, the handler's first hook, the 101.

extension Exchange {
    func checkHandshake(
        _ head: RequestHead, _ plain: PlainRequest, _ target: RequestTarget, _ path: String,
        _ route: Route, _ handler: WebSocketHandler
    ) {
        let client: ClientHandshake
        do throws(HandshakeError) {
            client = try OpeningHandshake.check(head)
        } catch {
            if error != .notAnUpgrade {
                worker.log.peerEvent(
                    .badHandshake, .info,
                    "bad handshake from \(stream.peer): \(escaped("\(error)"))")
            }
            return respond(Response(error.status, text: "\(error)", fields: error.fields), plain)
        }
        let allowed = handler.hooks.settings.allowedOrigins ?? worker.configuration.allowedOrigins
        guard allowed.admits(client.origin, host: head.host) else {
            worker.log.peerEvent(
                .refusedOrigin, .warning,
                "\(escaped(path)) \(stream.peer): origin \(escaped(client.origin ?? "")) is not let in "
                    + "(--origin)")
            return respond(Response(.forbidden, text: "This origin is not let in."), plain)
        }
        upgrade = Upgrade(
            handler, route, client, plain,
            HandshakeRequest(
                head: head, path: path, query: target.query, endpoint: worker.endpoint(of: route),
                remoteAddress: stream.peer, localAddress: localAddress ?? stream.localAddress,
                tls: stream.tlsInfo, user: user))
        task = worker.handlerTasks.begin(self)
    }

    /// A handshake that passed the checks, on its way to the handler.
    ///
    /// A class, because the frame that waits for the hook is as large as what it holds, and its
    /// memory is the task's for good.
    final class Upgrade {
        let handler: WebSocketHandler
        let route: Route
        let client: ClientHandshake
        let plain: PlainRequest
        @exclusivity(unchecked) var request: HandshakeRequest

        init(
            _ handler: WebSocketHandler, _ route: Route, _ client: ClientHandshake,
            _ plain: PlainRequest,
            _ request: HandshakeRequest
        ) {
            self.handler = handler
            self.route = route
            self.client = client
            self.plain = plain
            self.request = request
        }
    }

    /// Runs the handshake hook and answers. In the connection's one task.
    ///
    /// What it calls is not inlined: with the frames of those, its own would not fit in the first
    /// piece of memory that the task has for frames, and a second one of 1 KiB would be the task's
    /// for good.
    ///
    /// - Returns: the open connection and the hook that talks; `nil` if it came to nothing.
    nonisolated(nonsending) func open() async -> (Connection, WebSocketHandler.TransferData)? {
        guard let upgrade = takeUpgrade() else { return nil }
        do {
            let transferData = try await runHook(upgrade)
            return establish(upgrade).map { ($0, transferData) }
        } catch {
            reject(error, upgrade)
            return nil
        }
    }

    @inline(never)
    private func takeUpgrade() -> Upgrade? {
        guard let upgrade = upgrade.take() else { return nil }
        worker.loop.note(activity: upgrade.route.index)
        return upgrade
    }

    /// - Returns: the hook that talks.
    @inline(never)
    private nonisolated(nonsending) func runHook(_ upgrade: Upgrade) async throws
        -> WebSocketHandler.TransferData
    {
        let hooks = upgrade.handler.hooks
        guard let prepare = hooks.prepare else { return hooks.transferData }
        upgrade.request.unsafeStream = self
        defer { upgrade.request.unsafeStream = nil }
        return try await prepare(&upgrade.request)
    }

    /// Sends the 101, or what the handler put in its place; false if it cannot be sent.
    private func sendAnswer(_ upgrade: Upgrade) -> Bool {
        warnOfSubprotocol(upgrade)
        let compression = acceptedCompression(upgrade)
        do throws(FieldError) {
            if let bytes = upgrade.request.unsafeResponse {
                stream.write(bytes)
            } else {
                stream.write(try answer(upgrade, compression?.answer))
            }
            upgrade.request.compressionParameters = compression?.parameters
            logCompression(upgrade, compression?.answer)
            return true
        } catch {
            reject(error, upgrade)
            return false
        }
    }

    /// The head that opens the connection.
    private func answer(
        _ upgrade: Upgrade, _ compression: ExtensionOffer?
    ) throws(FieldError) -> [UInt8] {
        var extraFields = Fields()
        if let subprotocol = upgrade.request.unsafeSubprotocol {
            try extraFields.append("Sec-WebSocket-Protocol", subprotocol)
        }
        extraFields.append(contentsOf: upgrade.request.responseFields)
        return try OpeningHandshake.answer(
            to: upgrade.client, subprotocol: upgrade.request.subprotocol,
            extensions: compression.map { [$0] } ?? [], extraFields: extraFields)
    }

    /// What is answered to the client's offers. An answer of the handler's own accepts none.
    private func acceptedCompression(
        _ upgrade: Upgrade
    ) -> (answer: ExtensionOffer, parameters: DeflateParameters)? {
        guard !upgrade.client.offeredExtensions.isEmpty, upgrade.request.allowsCompression,
            upgrade.request.unsafeResponse == nil
        else { return nil }
        let request = upgrade.request
        var settings = request.endpoint.settings.compression
        settings.windowBits = min(settings.windowBits, request.compressionWindowBits ?? .max)
        return PermessageDeflate.accept(upgrade.client.offeredExtensions, settings)
    }

    private func logCompression(_ upgrade: Upgrade, _ answer: ExtensionOffer?) {
        let offers = upgrade.client.offeredExtensions
        guard !offers.isEmpty else { return }
        worker.log.compression(
            .debug,
            "\(escaped(upgrade.route.path)) \(stream.peer) offers "
                + "\(escaped(ExtensionOffer.serialize(offers))): "
                + (answer.map { "agreed on \($0)" } ?? "no compression"))
    }

    /// Answers the handshake; `nil` if it came to nothing.
    @inline(never)
    private func establish(_ upgrade: Upgrade) -> Connection? {
        guard !stream.isClosed, sendAnswer(upgrade) else { return nil }
        let connection = Connection(
            id: worker.nextConnectionID(), endpoint: worker.endpoint(of: upgrade.route),
            request: upgrade.request, stream: stream, timer: timer)
        // The connection's from now on: whoever cancels it has to end the handler's wait as well.
        connection.task = task
        task = nil
        worker.replace(self, by: connection)
        let firstBytes = pipelined.isEmpty ? [] : Array(pipelined[pipelinedOffset...])
        (pipelined, pipelinedOffset) = ([], 0)
        connection.start(firstBytes: firstBytes)
        if worker.isDraining { connection.sendClose(Close(.goingAway)) }
        return connection
    }

    @inline(never)
    private func reject(_ error: any Error, _ upgrade: Upgrade) {
        task = nil
        guard !stream.isClosed else { return }
        switch error {
        case HandshakeRejection.abort:
            stream.close()
        case HandshakeRejection.response(let status, let fields, let body):
            let text = body.isEmpty ? status.reasonPhrase : body
            respond(Response(status, text: text, fields: fields), upgrade.plain)
        default:
            worker.log(
                .error,
                "\(escaped(upgrade.route.path)) \(stream.peer): doExtraHandshake threw "
                    + escaped("\(error)", limit: 1_000))
            respond(
                Response(.forbidden, text: "The handler refused the handshake."), upgrade.plain)
        }
    }

    private func warnOfSubprotocol(_ upgrade: Upgrade) {
        let offers = upgrade.client.offeredSubprotocols
        guard !offers.isEmpty, upgrade.request.subprotocol == nil,
            upgrade.request.unsafeSubprotocol == nil,
            !upgrade.route.hasWarnedOfSubprotocol.exchange(true, ordering: .relaxed)
        else { return }
        let offered = offers.map { escaped($0, limit: 40) }
        worker.log(
            .warning,
            "\(escaped(upgrade.route.path)) chose none of the subprotocols offered "
                + "(\(offered.joined(separator: ", "))): browsers drop such a connection. "
                + "Set request.subprotocol in doExtraHandshake. (Said once per route.)")
    }
}
