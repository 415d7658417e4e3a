import EventLoop
import WebSocketConnection
import WebSocketProtocol

/// A connection that is closed when nobody refers to this any more.
///
/// For connections that belong to something: what a handshake hook opens for the connection to
/// come is closed also if that never comes, or ends with an error.
public final class OwnedConnection: Sendable {
    public let socket: WebSocket
    private let code: CloseCode

    /// - Parameter code: what the connection is closed with, unless it is closed by then; the
    ///   peer's answer is awaited for ``ConnectionSettings/closeTimeout``.
    public init(_ socket: WebSocket, closingWith code: CloseCode = .goingAway) {
        self.socket = socket
        self.code = code
    }

    deinit {
        let (connection, code) = (socket.connection, code)
        connection.loop.submit { connection.sendClose(Close(code)) }
    }
}
