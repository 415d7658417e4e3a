import Synchronization
import WebSocketHost

let cancelledCount = Mutex(0)

/// Answers requests that are no handshakes as their query says.
public let handler = WebSocketHandler(
    http: { request in
        switch request.query["do"] {
        case "wait":
            do {
                try await Task.sleep(for: .seconds(Int(request.query["seconds"] ?? "") ?? 0))
            } catch {
                cancelledCount.withLock { $0 += 1 }
                throw error
            }
            return .text("waited")
        case "cancelled": return .text("\(cancelledCount.withLock { $0 })")
        case "publish":
            return .text("\(request.topics.publish(request.body, to: "http").receivers)", .accepted)
        case "trap": fatalError("as asked")
        default: return .text("\(request.method) \(request.body.count) \(request.text ?? "-")")
        }
    },
    transferData: { socket in
        try await socket.subscribe(to: "http")
        try await socket.send("subscribed")
        while try await socket.receive() != nil {}
    }
)
