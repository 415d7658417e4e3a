import WebSocketHost

/// Takes "CODE REASON" and closes so; a code of 0 sends a Close without a body.
public let handler = WebSocketHandler { socket in
    for try await case .text(let line) in socket {
        let words = line.split(separator: " ", maxSplits: 1).map(String.init)
        let code = UInt16(words[0]).flatMap { $0 == 0 ? nil : CloseCode(rawValue: $0) }
        try await socket.close(code, reason: words.count > 1 ? words[1] : "")
    }
}
