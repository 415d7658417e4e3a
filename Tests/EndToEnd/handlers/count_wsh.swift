import Shared
import WebSocketHost

/// Answers each message with the number of `/held` tasks.
public let handler = WebSocketHandler { socket in
    for try await _ in socket {
        try await socket.send("\(runningHandlerCount.load(ordering: .relaxed))")
    }
}
