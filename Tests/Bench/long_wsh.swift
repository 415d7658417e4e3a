import WebSocketHost

/// Sends the file that the query names, or receives each message in pieces and answers with its
/// length.
public let handler = WebSocketHandler { socket in
    if let path = socket.request.query["file"] { return try await socket.send(file: path) }
    while let message = try await socket.receiveInPieces() {
        var byteCount = 0
        for try await piece in message.pieces { byteCount += piece.count }
        try await socket.send("\(byteCount)")
    }
}
