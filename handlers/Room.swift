import Synchronization
import WebSocketHost

/// A group of connections: each gets the texts of all of them, in the same order.
///
/// `say` never waits. Each member has a queue, and a task that sends from it, so a member that
/// reads slowly does not delay the others. A member whose queue is full would miss a text without
/// knowing. So it is closed with 1013, and its page may connect again.
public final class Room: Sendable {
    private struct Member {
        let socket: WebSocket
        let queue: AsyncStream<String>.Continuation
        var queuedByteCount = 0
    }

    private let members = Mutex<[WebSocket.ID: Member]>([:])
    private let queueByteLimit: Int

    /// - Parameter queueByteLimit: how much may wait for one member, beside the 64 KiB in its
    ///   connection. 1 MiB, because a whole burst of messages is queued before the first one is
    ///   sent.
    public init(queueByteLimit: Int = 1 << 20) { self.queueByteLimit = queueByteLimit }

    public var memberCount: Int { members.withLock { $0.count } }

    /// Puts a text into every member's queue.
    public func say(_ text: String) {
        let byteCount = text.utf8.count
        members.withLock { members in
            for (id, member) in members {
                if member.queuedByteCount + byteCount <= queueByteLimit {
                    members[id]?.queuedByteCount += byteCount
                    member.queue.yield(text)
                } else {
                    members[id] = nil
                    member.queue.finish()
                    // In a task: close waits for the member's answer, up to --close-timeout.
                    Task {
                        try? await member.socket.close(.tryAgainLater, reason: "too far behind")
                    }
                }
            }
        }
    }

    /// Makes a connection a member while `talk` runs, however that ends.
    ///
    /// The texts in its queue are sent before this returns.
    public func admit(_ socket: WebSocket, _ talk: () async throws -> Void) async throws {
        let (texts, queue) = AsyncStream.makeStream(of: String.self)
        members.withLock { $0[socket.id] = Member(socket: socket, queue: queue) }
        async let sending: Void = send(texts, to: socket)
        do {
            defer { members.withLock { $0.removeValue(forKey: socket.id) }?.queue.finish() }
            try await talk()
        }
        try await sending
    }

    private func send(_ texts: AsyncStream<String>, to socket: WebSocket) async throws {
        for await text in texts {
            try await socket.send(text)
            members.withLock { $0[socket.id]?.queuedByteCount -= text.utf8.count }
        }
    }
}
