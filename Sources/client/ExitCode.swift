import HTTPProtocol
import WebSocketClient
import WebSocketProtocol

/// The exit codes; the help has the same table.
enum ExitCode: Int32, Sendable {
    case success = 0
    /// The connection ended without a Close, or with a code that reports a fault.
    case lost = 1
    case usage = 2
    case cannotConnect = 3
    /// The server answered the handshake, but not with a valid 101.
    case refused = 4
    /// Another message than `--expect` named, or the server closed before all messages arrived.
    case unexpected = 5
    case timedOut = 6
}

extension ExitCode {
    init(_ error: ConnectError) {
        switch error {
        case .invalidURL, .tlsFile: self = .usage
        case .refused, .malformedAnswer: self = .refused
        case .handshake(let error): self = error.isOfRequest ? .usage : .refused
        case .timedOut: self = .timedOut
        case .unknownHost, .unreachable, .tls, .lost, .noThread, .cancelled, .stopped:
            self = .cannotConnect
        }
    }

    /// - Parameter close: the server's Close; not one that repeats the code of ours.
    init(closedByServer close: Close) {
        switch close.code {
        case nil, .normalClosure, .goingAway: self = .success
        default: self = .lost
        }
    }
}

extension ConnectionError {
    /// The error from a client's point of view; `description` is written for a server.
    var textForClient: String {
        switch self {
        case .lost: "the connection was lost: the server ended it without a Close"
        case .pingTimedOut: "the connection was lost: the server answered no Ping"
        case .failed(let error): "the server broke the protocol: \(error)"
        default: "\(self)"
        }
    }
}
