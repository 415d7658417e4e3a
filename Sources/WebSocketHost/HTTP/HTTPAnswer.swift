import EventLoop
import HTTPProtocol
import HTTPServer
import WebSocketConnection

/// The answer of a handler's hook `http` to one request: its body comes, the hook runs, its
/// response goes.
///
/// | phase  | event                                             | next   |
/// | ------ | ------------------------------------------------- | ------ |
/// | `body` | the body is complete                              | `hook` |
/// | `body` | it is too long, malformed, late, or one too many  | `over` |
/// | `hook` | the hook returns, throws, or takes too long       | `over` |
/// | both   | the client, or the connection, is gone            | `over` |
///
/// `@unchecked Sendable`: everything mutable is touched on the loop's thread only.
final class HTTPAnswer: OngoingAnswer, LoopBound, @unchecked Sendable {
    private enum Phase {
        case body
        case hook(Task<Void, Never>)
        case over
    }

    let loop: Loop
    /// `nil` once it is answered, or cannot be any more.
    private weak var exchange: Exchange?
    private let request: Request
    private let hook: WebSocketHandler.HTTP
    private let route: Route
    private let connections: Connections
    private let body: ArrivingBody
    private var phase = Phase.body
    private lazy var timer = loop.makeTimer { [weak self] in self?.hookTimedOut() }

    /// - Throws: if the announced body is too long.
    init(
        _ exchange: Exchange, _ request: Request, on connections: Connections, route: Route,
        _ hook: @escaping WebSocketHandler.HTTP, maxBodySize: Int?
    ) throws(RequestBodyError) {
        loop = exchange.loop
        self.exchange = exchange
        self.request = request.afterBody
        self.hook = hook
        self.route = route
        self.connections = connections
        let settings = connections.configuration.http
        body = try ArrivingBody(
            request.head.bodyFraming, byteLimit: maxBodySize ?? settings.bodyByteLimit,
            timeout: settings.bodyTimeout, on: loop, held: connections.heldBodies)
        body.onTimeout = { [weak self] in self?.refuse(ArrivingBody.late) }
    }

    private var settings: HTTPSettings { connections.configuration.http }

    // MARK: What the exchange reports

    /// A client that sends much behind its request waits, like one of a script.
    var needsClientEnd: Bool { false }

    func begin() {
        exchange?.continueIfExpected(request)
        bytesArrived()
    }

    func bytesArrived() {
        guard case .body = phase, let exchange else { return }
        switch body.take(from: exchange) {
        case .incomplete: break
        case .complete: runHook(exchange)
        case .refused(let response): refuse(response)
        case .noRoom:
            exchange.log(
                .warning,
                "\(escaped(route.path)): 503, --max-held-bodies-size bytes of bodies are kept")
            refuse(.busy)
        }
    }

    /// A client that is gone looks like one that sends no more; as in nginx, it has to wait for its
    /// answer.
    func clientEnded() { exchange?.close() }

    func drained() {}

    func abandon() { _ = finish() }

    // MARK: The hook

    private func runHook(_ exchange: Exchange) {
        let executor = RouteExecutor(loop, activity: RoutePart.http.activity(ofRoute: route.index))
        let seen = HTTPRequest(
            request, body: body.content, exchange, connections.endpoint(of: route),
            connections.topicBroker, connections.configuration)
        loop.schedule(timer, after: settings.timeout)
        phase = .hook(
            Task(executorPreference: executor) { [self, hook] in
                let result: Result<HTTPResponse, any Error>
                do {
                    result = .success(try await hook(seen))
                } catch {
                    result = .failure(error)
                }
                await onLoop { $0.hookEnded(result) }
            })
    }

    private func hookEnded(_ result: Result<HTTPResponse, any Error>) {
        guard let exchange = finish() else { return }
        switch result {
        case .success(let response):
            guard let answer = response.answer else {
                return fail(exchange, "answered with \(response.status), which is no answer")
            }
            exchange.respond(answer, to: request)
        case .failure(let rejection as HandshakeRejection):
            exchange.respond(rejection, to: request)
        case .failure(let error): fail(exchange, "threw \(error)")
        }
    }

    private func fail(_ exchange: Exchange, _ reason: String) {
        exchange.log(
            .error,
            "\(escaped(route.path)) \(exchange.address(of: request)): the hook http "
                + escaped(reason, limit: 1_000))
        exchange.respond(
            Response(.internalServerError, text: "The handler failed."), to: request)
    }

    private func hookTimedOut() {
        guard let exchange = finish() else { return }
        exchange.log(
            .warning,
            "\(escaped(route.path)) \(exchange.address(of: request)): no answer of the hook http "
                + "within --http-timeout (\(settings.timeout))")
        exchange.respond(
            Response(.serviceUnavailable, text: "The handler did not answer in time."),
            to: request)
    }

    // MARK: The end

    /// What is left of the body is not looked for.
    private func refuse(_ response: Response) {
        finish()?.respond(response, to: request.withoutBody)
    }

    /// The request is answered by the caller, or not at all.
    private func finish() -> Exchange? {
        defer { exchange = nil }
        if case .hook(let task) = phase {
            loop.cancel(timer)
            task.cancel()
        }
        phase = .over
        body.drop()
        return exchange
    }
}
