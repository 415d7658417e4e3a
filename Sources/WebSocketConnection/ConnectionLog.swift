import EventLoop

/// The log, for those who hold a connection: each line says which one it is about.
///
/// ```swift
/// socket.log(.info, "\(name) has joined")
/// ```
///
/// With `--log-format text` the message stands behind route, address and number: `/chat
/// 127.0.0.1:50000 #7: Ada has joined`. With `json` these are the members `route`, `peer` and
/// `connection`, and `event` is `handler`.
public struct ConnectionLog: Sendable {
    /// Characters of a message that are written; the rest is counted. Four lines of a wide screen,
    /// so that a client's long text fills no disk.
    public static let messageCharacterLimit = 1_000

    private let endpoint: Endpoint
    private let peer: SocketAddress
    private let id: UInt64?

    /// - Parameter id: `nil` while the handshake is not answered.
    init(_ endpoint: Endpoint, peer: SocketAddress, id: UInt64?) {
        self.endpoint = endpoint
        self.peer = peer
        self.id = id
    }

    /// Whether a line of this level is written; for those who would have to gather what it says.
    public func isEnabled(_ level: LogLevel) -> Bool { endpoint.log.isEnabled(level) }

    /// Writes a line, if `--log-level` lets this level through.
    ///
    /// - Parameter message: made only if it is written. What came from outside may be in it: it
    ///   goes through ``escaped(_:limit:)``, with ``messageCharacterLimit``.
    public func callAsFunction(_ level: LogLevel, _ message: @autoclosure () -> String) {
        guard isEnabled(level) else { return }
        let log = endpoint.log
        let text = escaped(message(), limit: Self.messageCharacterLimit)
        switch log.settings.format {
        case .text:
            log.write(level, "\(endpoint.name) \(peer)\(id.map { " #\($0)" } ?? ""): \(text)")
        case .json:
            log.write(level, text, fields)
        }
    }

    private var fields: [LogField] {
        var fields = [LogField(name: "event", value: .text("handler"))]
        if let id { fields.append(LogField(name: "connection", value: .number(Int(clamping: id)))) }
        fields.append(LogField(name: "route", value: .text(endpoint.name)))
        fields.append(LogField(name: "peer", value: .text("\(peer)")))
        return fields
    }
}
