import WebSocketProtocol

// Messages that are never in memory as a whole.

// MARK: - Receiving

extension WebSocket {
    /// Waits for the next message, to receive it in pieces as they come.
    ///
    /// ```swift
    /// while let message = try await socket.receiveInPieces() {
    ///     for try await piece in message.pieces { … }
    /// }
    /// ```
    ///
    /// Pieces are read ahead up to ``ConnectionSettings/receiveQueueByteLimit``; then the client
    /// has to wait. ``ConnectionSettings/messageByteLimit`` counts all of them together, and text
    /// is checked as it comes. What is not taken of a message is dropped when the next one is asked
    /// for, in pieces or by ``receive(timeout:)``, and a message that has come already is given in
    /// one piece.
    ///
    /// - Parameter timeout: how long to wait for the beginning; `nil`: as long as the connection
    ///   lasts.
    /// - Returns: `nil` once the client, or this side, has closed and all messages were taken.
    /// - Throws: as ``receive(timeout:)``.
    public func receiveInPieces(
        timeout: Duration? = nil
    ) async throws(ConnectionError) -> IncomingMessage? {
        try await connection.receiveInPieces(timeout: timeout)
    }
}

// MARK: - Sending

// What other tasks send waits until the message has gone out; Pings and Pongs do not. A message
// that the same task began with `end: false` is continued, and ended.

extension WebSocket {
    /// Sends a file as one message, in frames of at most 256 KiB that are read as the client takes
    /// them.
    ///
    /// The message has the length that the file has at the beginning; what is appended meanwhile is
    /// not part of it. Reading blocks the thread as far as the system has not read ahead: for a
    /// file on a slow disk, read pieces with `offload` and pass them to
    /// ``send(pieces:as:compress:)``.
    ///
    /// - Parameters:
    ///   - path: relative to the process's working directory, unless it begins with a slash.
    ///   - kind: `.text` for a file of UTF-8, which is checked on the way.
    ///   - compress: false to send it as it is where compression was agreed on. Each frame is
    ///     compressed by itself.
    /// - Throws: ``FileError``; ``ConnectionError``, of which ``ConnectionError/notSendable(_:)``
    ///   with ``SendError/invalidUTF8`` is for a text that is none. If a part of the message has
    ///   gone out by then, the connection is closed with 1011.
    public func send(
        file path: String, as kind: Message.Kind = .binary, compress: Bool = true
    ) async throws {
        try await FileMessage(path: path).send(on: connection, as: kind, compress: compress)
    }

    /// Sends all bytes of a sequence as one message, a frame for each piece.
    ///
    /// The next piece is asked for when the client has taken what came before, but for
    /// ``ConnectionSettings/sendQueueByteMark``. A sequence without pieces is an empty message.
    ///
    /// - Parameters:
    ///   - pieces: of any length; empty ones are left out.
    ///   - kind: `.text` for UTF-8, which is checked on the way. A piece may end inside a
    ///     character.
    ///   - compress: false to send it as it is where compression was agreed on. The first piece
    ///     decides for all, and each is compressed by itself.
    /// - Throws: what the sequence throws; ``ConnectionError``, also
    ///   ``ConnectionError/cancelled`` where the sequence ended because the task was cancelled. If
    ///   a part of the message has gone out by then, the connection is closed with 1011.
    public func send<Pieces: AsyncSequence>(
        pieces: Pieces, as kind: Message.Kind = .binary, compress: Bool = true
    ) async throws where Pieces.Element == [UInt8] {
        try await send(pieces, kind, compress) { $0.isEmpty ? nil : .bytes($0, kind) }
    }

    /// Sends all text of a sequence as one message; as ``send(pieces:as:compress:)``.
    public func send<Pieces: AsyncSequence>(
        pieces: Pieces, compress: Bool = true
    ) async throws where Pieces.Element == String {
        try await send(pieces, .text, compress) { $0.isEmpty ? nil : .text($0) }
    }

    /// - Parameter body: of an element; `nil`: it is left out.
    private func send<Pieces: AsyncSequence>(
        _ pieces: Pieces, _ kind: Message.Kind, _ compress: Bool,
        _ body: (Pieces.Element) -> PieceBody?
    ) async throws {
        var message = LongMessage(on: connection, kind, compress: compress)
        do {
            for try await piece in pieces {
                if let body = body(piece) { try await message.send(body) }
            }
            try await message.finish()
        } catch {
            await message.giveUp()
            throw error
        }
    }
}
