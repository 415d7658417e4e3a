import WebSocketHost

/// Takes "COUNT SIZE", lets that many tasks send at once, and then tells how many were refused by
/// the limit of the queue.
public let handler = WebSocketHandler { socket in
    for try await case .text(let line) in socket {
        let numbers = line.split(separator: " ").compactMap { Int($0) }
        let message = [UInt8](repeating: 0x2E, count: numbers[1])
        let refusedCount = await withTaskGroup(of: Bool.self) { group in
            for _ in 0..<numbers[0] {
                group.addTask {
                    do throws(ConnectionError) {
                        try await socket.send(message)
                        return false
                    } catch .sendQueueFull {
                        print("refused")  // the test reads only now
                        return true
                    } catch {
                        return false
                    }
                }
            }
            return await group.reduce(0) { $0 + ($1 ? 1 : 0) }
        }
        try await socket.send("\(refusedCount) refused")
    }
}
