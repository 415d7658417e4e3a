import EventLoop
import HTTPProtocol
import HTTPServer
import Topics
import WebSocketConnection

/// Answers HTTP requests of whoever runs the server, on a socket that nobody else can reach.
///
/// It is on the control loop, which no handler blocks. None of its responders stands in the list of
/// ``Responders``, so none of this is answered on the listeners of the public.
///
/// Belongs to its loop's thread.
final class AdminListener {
    private let loop: Loop
    private let exchanges: Exchanges
    private var listener: Listener?

    /// Connections at a time; more get 503.
    static let connectionLimit = 64
    /// How long a connection may be idle, and a request head take. Longer than any client of ours
    /// keeps one that it does not need: see `PublishConnection`.
    static let idleTimeout: Duration = .seconds(60)

    /// - Parameter socket: owned from now on.
    init(
        on socket: ListeningSocket, loop: Loop, _ configuration: Configuration, log: Log,
        topics: TopicBroker, metrics: MetricsTexts?,
        onShortage: @escaping (SystemError) -> Void
    ) throws(SystemError) {
        self.loop = loop
        exchanges = Exchanges(on: loop, log: log, configuration.adminExchangeSettings)
        exchanges.responders = Self.responders(topics, metrics)
        listener = try Listener(
            socket, on: loop, onShortage: onShortage,
            onAccept: { [unowned self] in accepted($0, log) })
    }

    /// In the order in which they are asked.
    static func responders(
        _ topics: TopicBroker, _ metrics: MetricsTexts?
    ) -> [any Responder] {
        let all: [(any Responder)?] = [
            TargetResponder(host: nil, port: nil), TopicsResponder(topics),
            metrics.map { MetricsResponder($0) },
        ]
        return all.compactMap(\.self)
    }

    private func accepted(_ connection: AcceptedConnection, _ log: Log) {
        do throws(SystemError) {
            let stream = try connection.makeStream(on: loop, tls: nil)
            guard exchanges.count < Self.connectionLimit else {
                return exchanges.refuse(stream, .busy)
            }
            exchanges.begin(stream, localAddress: connection.localAddress)
        } catch {
            log(.error, "a connection from \(connection.peer) was dropped: \(error)")
        }
    }

    /// Accepts and does nothing any more. Clients learn what was not done, so that another process
    /// can do it.
    func leave() {
        listener?.close()
        listener = nil
        exchanges.leave(telling: Self.leaving)
    }

    /// What was not done is to be asked for again, on another connection.
    static var leaving: Response {
        Response(
            .serviceUnavailable,
            text: "This server process ends. What it did not answer was not done.",
            fields: ["Retry-After": "0"])
    }

    /// Drops what is open.
    func close() {
        listener?.close()
        listener = nil
        exchanges.dropAll()
    }
}

extension Configuration {
    fileprivate var adminExchangeSettings: ExchangeSettings {
        var settings = exchangeSettings
        settings.headTimeout = AdminListener.idleTimeout
        settings.upgradeProtocol = nil
        settings.logsAnswers = false
        return settings
    }
}

extension Server {
    /// Answers what the owner of this server asks on a socket that is for nobody else, such as to
    /// publish something. After ``start()``.
    ///
    /// - Parameter socket: owned from now on.
    package func answerAdmin(on socket: ListeningSocket) {
        control.loop.submit { [self] in
            guard control.undrained == nil, control.admin == nil else { return socket.close() }
            do throws(SystemError) {
                control.admin = try AdminListener(
                    on: socket, loop: control.loop, configuration, log: log, topics: topics,
                    metrics: makeMetricsTexts(), onShortage: logShortage)
            } catch {
                log(.error, "cannot accept on \(socket.address): \(error)")
            }
        }
    }
}
