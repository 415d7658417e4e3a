import Synchronization
import WebSocketHost

/// Connections that all get what any of them says, in the same order.
///
/// Saying something never waits. Each member has a queue and a task that sends what is in it, so
/// one that reads slowly holds nobody up. A member whose queue is full would miss something without
/// knowing; it is sent away with 1013 instead, and its page may connect again.
public final class Room: Sendable {
    private struct Member {
        let socket: WebSocket
        let queue: AsyncStream<String>.Continuation
        var queuedByteCount = 0
    }

    private let members = Mutex<[WebSocket.ID: Member]>([:])
    private let queueByteLimit: Int

    /// - Parameter queueByteLimit: what may wait for one member, beside the 64 KiB that its
    ///   connection takes. 1 MiB, because a burst of messages is all queued before the first of
    ///   them is sent.
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
                    // Not awaited: it waits for this member's answer, for up to --close-timeout.
                    Task {
                        try? await member.socket.close(.tryAgainLater, reason: "too far behind")
                    }
                }
            }
        }
    }

    /// Makes a connection a member for as long as `talk` runs, however that ends.
    ///
    /// What `say` put into its queue by then is sent before this returns.
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
