import EventLoop
import WebSocketProtocol

/// What a piece of a message is made of.
enum PieceBody: Sendable {
    case text(String)
    case bytes([UInt8], Message.Kind)
    /// Of a binary message; neither masked nor compressed.
    case file(OpenFile, Range<Int>)

    init(_ message: Message) {
        switch message {
        case .text(let text): self = .text(text)
        case .binary(let bytes): self = .bytes(bytes, .binary)
        }
    }

    var byteCount: Int {
        switch self {
        case .text(let text): text.utf8.count
        case .bytes(let bytes, _): bytes.count
        case .file(_, let range): range.count
        }
    }
}

/// A message that one call sends piece by piece.
///
/// What has gone out of it cannot be taken back. So if it cannot be completed, the connection is
/// closed.
struct LongMessage {
    private let connection: Connection
    private let kind: Message.Kind
    private let compress: Bool
    private var validator = UTF8Validator()

    init(on connection: Connection, _ kind: Message.Kind, compress: Bool) {
        self.connection = connection
        self.kind = kind
        self.compress = compress
    }

    /// Sends a piece as a frame, and waits as `send` does.
    mutating func send(_ body: PieceBody, isFinal: Bool = false) async throws(ConnectionError) {
        if Task.isCancelled { throw .cancelled }
        if case .bytes(let bytes, .text) = body {
            guard bytes.withUnsafeBytes({ validator.accept($0) }),
                !isFinal || validator.isAtCharacterBoundary
            else { throw .notSendable(.invalidUTF8) }
        }
        while true {
            do throws(ConnectionError) {
                return try await connection.sendInTurn(body, isFinal: isFinal, compress: compress)
            } catch .sendQueueFull {
                // Others have filled the queue; nothing was sent.
                try await connection.waitUntilDrained()
            }
        }
    }

    /// Ends the message with an empty frame: only now it is known that no piece follows.
    mutating func finish() async throws(ConnectionError) {
        try await send(.bytes([], kind), isFinal: true)
    }

    /// Closes the connection if a piece has gone out and the end has not.
    func giveUp() async {
        let sender = TaskIdentity.current
        await connection.onLoop { $0.giveUpMessage(of: sender) }
    }
}

extension Connection {
    fileprivate func giveUpMessage(of sender: TaskIdentity) {
        guard waits?.messageInPieces?.sender == sender, !isDone else { return }
        // A Close may come between the frames of a message (RFC 6455 §5.4, §5.5).
        sendClose(Close(.internalError, reason: "the message could not be completed"))
    }
}
