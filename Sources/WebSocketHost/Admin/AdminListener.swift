import EventLoop
import HTTPProtocol
import HTTPServer
import Topics
import WebSocketConnection

/// Answers HTTP requests of whoever runs the server, on a socket that is not for the public.
///
/// It is on the control loop, which no handler blocks. None of its responders stands in the list of
/// ``Responders``, so none of this is answered on the listeners of the public.
///
/// Belongs to its loop's thread.
package final class AdminListener {
    private let loop: Loop
    private let log: Log
    private let exchanges: Exchanges
    private let connectionLimit: Int
    private let socket: ListeningSocket
    private var listener: Listener?
    /// Whether it answers while the server drains, too.
    let staysUntilEnd: Bool

    /// - Parameters:
    ///   - socket: owned from now on.
    ///   - responders: those behind the check of who asks, in the order in which they are asked.
    ///   - passOn: asked first with each connection; true: another process answers it.
    package init(
        on socket: ListeningSocket, loop: Loop, _ configuration: Configuration, log: Log,
        responders: [any Responder], staysUntilEnd: Bool = false,
        onShortage: @escaping (SystemError) -> Void = { _ in },
        passOn: @escaping (AcceptedConnection) -> Bool = { _ in false }
    ) throws(SystemError) {
        self.loop = loop
        self.log = log
        self.staysUntilEnd = staysUntilEnd
        self.socket = socket
        connectionLimit = configuration.admin.connectionLimit
        exchanges = Exchanges(on: loop, log: log, configuration.adminExchangeSettings)
        exchanges.responders =
            [TargetResponder(host: nil, port: nil), AdminAccessResponder(configuration.adminHosts)]
            + responders
        listener = try Listener(
            socket, on: loop, onShortage: onShortage,
            onAccept: { [unowned self] in if !passOn($0) { adopt($0) } })
    }

    /// In the order in which they are asked.
    static func responders(for server: Server) -> [any Responder] {
        let all: [(any Responder)?] = [
            HealthResponder(server.health), TopicsResponder(server.topics),
            ConnectionsResponder(server),
            StatusResponder { [unowned server] in server.gatherStatus(then: $0) },
            server.makeMetricsTexts().map { MetricsResponder($0) },
        ]
        return all.compactMap(\.self)
    }

    /// Answers what comes over a connection.
    func adopt(_ connection: AcceptedConnection) {
        do throws(SystemError) {
            let stream = try connection.makeStream(on: loop, tls: nil)
            guard exchanges.count < connectionLimit else {
                return exchanges.refuse(stream, .busy)
            }
            exchanges.begin(stream, localAddress: connection.localAddress)
        } catch {
            log(.error, "a connection from \(connection.peer) was dropped: \(error)")
        }
    }

    /// Ends each connection with its next answer.
    package func answerOnce() { exchanges.leave() }

    /// Accepts and does nothing any more. Clients learn what was not done, so that another process
    /// can do it.
    package func leave() {
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
        socket.removeFile()
        exchanges.dropAll()
    }
}

extension Configuration {
    fileprivate var adminExchangeSettings: ExchangeSettings {
        var settings = exchangeSettings
        settings.headLimits = RequestHeadLimits(
            headByteLimit: admin.headByteLimit, fieldCountLimit: fieldCountLimit)
        settings.headTimeout = admin.idleTimeout
        settings.sendTimeout = admin.sendTimeout
        settings.upgradeProtocol = nil
        settings.logsAnswers = false
        return settings
    }

    /// Beside localhost and the address of each connection.
    fileprivate var adminHosts: OwnHosts {
        OwnHosts(serverNames + [adminListener?.address.host].compactMap(\.self))
    }
}
