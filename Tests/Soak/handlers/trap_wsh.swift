import Glibc
import WebSocketHost

/// Says which process it is in, and traps at the first message that is no index below 3.
public let handler = WebSocketHandler { socket in
    try await socket.send("\(getpid())")
    let numbers = [1, 2, 3]
    for try await case .text(let text) in socket {
        try await socket.send("\(numbers[Int(text) ?? 3])")
    }
}
