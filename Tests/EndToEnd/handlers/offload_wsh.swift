import Glibc
import Synchronization
import WebSocketHost

/// Calls that run now, of all connections.
let running = Mutex(0)

/// Takes a number: waits in `offload`, blocking the thread, until so many calls run at a time.
public let handler = WebSocketHandler { socket in
    for try await case .text(let text) in socket {
        let count = Int(text) ?? 0
        try await socket.send("calling")
        do {
            try await offload {
                running.withLock { $0 += 1 }
                while running.withLock({ $0 }) < count { usleep(1_000) }
            }
            try await socket.send("done")
        } catch let error as OffloadError {
            try await socket.send("\(error)")
        }
    }
}
