import WebSocketProtocol

/// A message that is received in pieces, as they come.
///
/// Its pieces are there until another message is asked for.
public struct IncomingMessage: Sendable {
    public let kind: Message.Kind
    private let connection: Connection
    private let state: IncomingPieces

    init(_ connection: Connection, _ state: IncomingPieces, _ kind: Message.Kind) {
        self.connection = connection
        self.state = state
        self.kind = kind
    }

    /// What is left of the message. One task at a time takes pieces.
    public var pieces: Pieces { Pieces(connection: connection, state: state) }

    /// An `AsyncSequence` that ends with the message.
    public struct Pieces: AsyncSequence, Sendable {
        public typealias Element = [UInt8]
        public typealias Failure = ConnectionError

        let connection: Connection
        let state: IncomingPieces

        public func makeAsyncIterator() -> AsyncIterator {
            AsyncIterator(connection: connection, state: state)
        }

        public struct AsyncIterator: AsyncIteratorProtocol {
            let connection: Connection
            let state: IncomingPieces

            /// Waits for the next piece.
            ///
            /// - Returns: at least one byte. Of a text they are UTF-8 as far as it was checked: a
            ///   piece may end inside a character. `nil` after the last one.
            /// - Throws: how the connection ended, if that was before the message did, also
            ///   ``ConnectionError/closed(_:)``; ``ConnectionError/cancelled``, after which the
            ///   next call goes on; ``ConnectionError/messageSkipped``;
            ///   ``ConnectionError/receiveInProgress``.
            public mutating func next() async throws(ConnectionError) -> [UInt8]? {
                try await connection.nextPiece(of: state)
            }

            public nonisolated(nonsending) mutating func next(
                isolation actor: (any Actor)?
            ) async throws(ConnectionError) -> [UInt8]? {
                try await connection.nextPiece(of: state)
            }
        }
    }
}

// phase        what happens                                        next
// expected     its first bytes come; it comes whole                coming
//              it is not waited for any more                       (nothing of it was taken)
// coming       its end comes and all of its pieces were taken      read
//              another message is asked for                        skipped

/// What a connection knows of a message that is received in pieces. The pieces that were not taken
/// yet lie in the inbox, before all other messages.
///
/// `@unchecked Sendable`: touched on the loop's thread of its connection only.
final class IncomingPieces: @unchecked Sendable {
    enum Phase {
        /// The handler waits for its beginning.
        case expected
        case coming
        case read
        case skipped
    }

    @exclusivity(unchecked) var phase = Phase.expected
    @exclusivity(unchecked) var kind = Message.Kind.binary
    /// The piece with which it began, until that is taken.
    @exclusivity(unchecked) var first: [UInt8] = []
    /// How many messages of the inbox are pieces of this one.
    @exclusivity(unchecked) var queuedCount = 0
    /// Whether no piece comes any more.
    @exclusivity(unchecked) var hasEnd = false
}
