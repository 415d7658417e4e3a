import WebSocketHost

/// Sends a message many times: "0.5 10 hello" sends "hello" ten times, half a second apart.
///
/// Try it: send "1 5 tick". With 0 seconds it sends as fast as the client reads.
public let handler = WebSocketHandler { socket in
    for try await case .text(let line) in socket {
        let words = line.split(separator: " ", maxSplits: 2)
        guard words.count == 3, let seconds = Double(words[0]), (0...3600).contains(seconds),
            let count = Int(words[1]), count >= 0
        else {
            try await socket.send("Send SECONDS COUNT MESSAGE, for example: 0.5 10 hello")
            continue
        }
        for number in 0..<count {
            if number > 0 { try await socket.sleep(for: .seconds(seconds)) }
            try await socket.send(String(words[2]))
        }
    }
}
