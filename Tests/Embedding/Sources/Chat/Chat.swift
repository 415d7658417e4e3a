import Synchronization
import WebSocketHost

/// What was said, for those who come later.
public final class Store: Sendable {
    private let lines = Mutex<[String]>([])

    public init() {}

    public var all: [String] { lines.withLock { $0 } }
    public func add(_ line: String) { lines.withLock { $0.append(line) } }
}

/// Tells what was said before, then takes and keeps what is said.
public func chat(_ store: Store) -> WebSocketHandler {
    WebSocketHandler { socket in
        for line in store.all { try await socket.send(line) }
        for try await case .text(let line) in socket {
            store.add(line)
            try await socket.send("kept \(line)")
        }
    }
}
