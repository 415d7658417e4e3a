import EventLoop
import HTTPProtocol
import WebSocketProtocol

/// Why a connection could not be opened.
public enum ConnectError: Error, Sendable, Hashable, CustomStringConvertible {
    /// Not `ws://host[:port][/path][?query]`, nor `wss:`; RFC 6455 §3 permits no fragment.
    case invalidURL(String)
    case unknownHost(ResolveError)
    /// No address of the host answered; the last address and its error.
    case unreachable(SocketAddress, SystemError)
    /// The server's certificate is not trusted, or the TLS handshake failed in another way.
    case tls(TLSError)
    /// A file of ``ClientConfiguration/tls`` cannot be used.
    case tlsFile(TLSFileError)
    /// More than ``ClientConfiguration/connectTimeout``.
    case timedOut
    /// The server closed without an answer, or in the middle of it.
    case lost
    /// The server answered with something else than 101; the body as far as it came.
    case refused(ResponseHead, body: [UInt8])
    /// The answer is not HTTP.
    case malformedAnswer(ResponseError)
    /// The request cannot be sent, or the answer breaks RFC 6455 §4.1.
    case handshake(HandshakeError)
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
        case .malformedAnswer(let error): "\(error)"
        case .handshake(let error): "\(error)"
        case .cancelled: "the task was cancelled"
        case .stopped: "the client was stopped"
        }
    }
}
