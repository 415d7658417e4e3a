import EventLoop
import HTTPProtocol
import WebSocketProtocol

/// Why a connection was not opened.
public enum ConnectError: Error, Sendable, Hashable, CustomStringConvertible {
    /// Not `ws://[user:password@]host[:port][/path][?query]`, nor `wss:`; RFC 6455 §3 has no
    /// fragment.
    case invalidURL(String)
    case unknownHost(ResolveError)
    /// None of the host's addresses answered; the error of the last one.
    case unreachable(SocketAddress, SystemError)
    /// The server's certificate is not trusted, or the TLS handshake failed.
    case tls(TLSError)
    /// A file of ``ClientConfiguration/tls`` cannot be used.
    case tlsFile(TLSFileError)
    /// It took longer than ``ClientConfiguration/connectTimeout``.
    case timedOut
    /// The server ended TCP before its response was complete.
    case lost
    /// The server answered with another status than 101; the body as far as it arrived.
    case refused(ResponseHead, body: [UInt8])
    /// The response is not HTTP.
    case malformedAnswer(ResponseError)
    /// The request cannot be sent, or the response breaks RFC 6455 §4.1.
    case handshake(HandshakeError)
    /// The thread that this connection needs cannot be started.
    case noThread(SystemError)
    case cancelled
    /// ``WebSocketClient/stop()`` was called.
    case stopped

    public var description: String {
        switch self {
        case .invalidURL(let url): "'\(url)' is not a WebSocket URL: write ws://host:port/path"
        case .unknownHost(let error): "\(error)"
        case .unreachable(let address, let error): "\(address) cannot be reached: \(error)"
        case .tls(let error): "\(error)"
        case .tlsFile(let error): "\(error)"
        case .timedOut: "no connection within the time limit"
        case .lost: "the server closed before it had answered the handshake"
        case .refused(let head, let body):
            "the server answered \(head.status): "
                + "\(String(decoding: body.prefix(200), as: UTF8.self))"
        case .malformedAnswer(let error): "the server's response is not HTTP: \(error)"
        case .handshake(let error):
            error.isOfRequest
                ? "the request cannot be sent: \(error)"
                : "the server's response is not a WebSocket handshake: \(error)"
        case .noThread(let error): "the client's thread cannot be started: \(error)"
        case .cancelled: "the task was cancelled"
        case .stopped: "the client was stopped"
        }
    }
}
