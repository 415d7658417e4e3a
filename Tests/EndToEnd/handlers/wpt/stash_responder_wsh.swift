import Shared
import WebSocketHost

/// "put KEY TEXT" keeps a text and answers "kept"; "take KEY" waits for one and answers with it.
public let handler = WebSocketHandler { socket in
    for try await case .text(let line) in socket {
        let words = line.split(separator: " ", maxSplits: 2).map(String.init)
        switch words.first {
        case "put" where words.count == 3:
            stash.put(words[2], for: words[1])
            try await socket.send("kept")
        case "take" where words.count == 2:
            try await socket.send(try await stash.take(words[1]))
        default:
            try await socket.send("put KEY TEXT or take KEY")
        }
    }
}
