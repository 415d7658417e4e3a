import WebSocketHost

/// Sends the file that the query names. Else it sends each message back as it comes, or answers
/// with its kind and length.
public let handler = WebSocketHandler(maxMessageSize: 1 << 34) { socket in
    if let path = socket.request.query["file"] { return try await socket.send(file: path) }
    while let message = try await socket.receiveInPieces() {
        if socket.request.query["echo"] != nil {
            try await socket.send(pieces: message.pieces, as: message.kind)
            continue
        }
        var byteCount = 0
        for try await piece in message.pieces { byteCount += piece.count }
        try await socket.send("\(message.kind) \(byteCount)")
    }
}
