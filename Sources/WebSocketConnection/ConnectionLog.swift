import EventLoop
import Logging

/// The log, for users of a connection: each line names the connection.
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
    package init(_ endpoint: Endpoint, peer: SocketAddress, id: UInt64?) {
        self.endpoint = endpoint
        self.peer = peer
        self.id = id
    }

    /// Whether a line of this level is written; for callers that would have to gather its text.
    public func isEnabled(_ level: LogLevel) -> Bool { endpoint.log.isEnabled(level) }

    /// Writes a line, if `--log-level` lets this level through.
    ///
    /// - Parameter message: made only if it is written. What came from outside may be in it: it
    ///   goes through ``escaped(_:limit:)``, with ``messageCharacterLimit``.
    public func callAsFunction(_ level: LogLevel, _ message: @autoclosure () -> String) {
        guard isEnabled(level) else { return }
        let text = escaped(message(), limit: Self.messageCharacterLimit)
        let line = HandlerLine(route: endpoint.name, peer: peer, connectionID: id, message: text)
        endpoint.log.write(level, line)
    }
}

/// What a handler logs about its connection.
private struct HandlerLine: LogLine {
    let route: String
    let peer: SocketAddress
    let connectionID: UInt64?
    let message: String?

    func addFields(to line: inout LineText) {
        line.add("event", .text("handler"), .hidden)
        line.add("route", .text(route), .plain)
        line.add("peer", .address(peer), .after(" "))
        guard let connectionID else { return }
        line.add("connection", .number(Int(clamping: connectionID)), .after(" #"))
    }
}
