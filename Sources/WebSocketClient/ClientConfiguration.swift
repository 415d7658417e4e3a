import EventLoop
import WebSocketConnection

/// The limits and waits of a client, with their defaults.
public struct ClientConfiguration: Sendable {
    /// Of each connection once it is open.
    public var connection = ConnectionSettings()
    /// What may be kept of messages that are not complete, of all connections together, in bytes;
    /// over it the message that began first is given up, with close 1013.
    public var unfinishedMessagesByteLimit = 256 << 20
    /// Which certificates `wss://` trusts, and which one it shows. The files are read once, when
    /// first needed.
    public var tls = TLSClientConfiguration()
    /// From `connect` to the open connection: names, TCP and handshake together.
    public var connectTimeout: Duration = .seconds(10)
    /// The longest head of a server's answer, in bytes.
    public var headByteLimit = 16_384
    /// The longest body of a refusal that is kept for ``ConnectError/refused(_:body:)``, in bytes.
    public var refusalByteLimit = 16_384

    public init() {}
}
