import WebSocketHost

/// Closes on request: "3000 had enough" closes with code 3000 and the reason "had enough".
///
/// A code that must not be sent, such as 1005, makes `close` throw: the client sees 1011. When the
/// client closes first, its own code and reason come back.
///
/// Try it: send "4001 so long". Or close from the page, with a code of your own.
public let handler = WebSocketHandler(
    transferData: { socket in
        for try await case .text(let line) in socket {
            let words = line.split(separator: " ", maxSplits: 1)
            guard let code = words.first.flatMap({ UInt16($0) }) else {
                try await socket.send("Send CODE REASON, for example: 3000 had enough")
                continue
            }
            let reason = words.count > 1 ? String(words[1]) : ""
            try await socket.close(CloseCode(rawValue: code), reason: reason)
        }
    },
    passiveClosingHandshake: { close in close }
)
