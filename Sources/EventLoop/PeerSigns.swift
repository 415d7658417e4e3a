/// What shows that a stream's peer is there, though nothing of it was read: what it takes of our
/// bytes, and what of its bytes waits in our kernel.
///
/// The kernel is asked at each call: for the ends of waits, not for every message.
public struct PeerSigns: Sendable, Hashable {
    /// Bytes that the peer's kernel has taken. Only differences mean something: with TLS it counts
    /// what was sealed.
    public var acknowledgedByteCount: Int
    /// Bytes that are on their way: in the stream's queue, in our kernel, in the network.
    public var outstandingByteCount: Int
    /// Those of them that have not left: the peer's kernel has no room, or the network is slow.
    public var unsentByteCount: Int
    /// What the peer's kernel had room for when it last said so. That grows when its program reads.
    public var windowByteCount: Int
    /// Bytes that our kernel has received and the stream has not read.
    public var unreadByteCount = 0
    /// How long the peer's kernel has acknowledged nothing that ours has sent; `nil`: nothing
    /// waits for its answer.
    public var unansweredFor: Duration?

    public init(
        acknowledgedByteCount: Int, outstandingByteCount: Int, unsentByteCount: Int = 0,
        windowByteCount: Int = 0, unreadByteCount: Int = 0, unansweredFor: Duration? = nil
    ) {
        self.acknowledgedByteCount = acknowledgedByteCount
        self.outstandingByteCount = outstandingByteCount
        self.unsentByteCount = unsentByteCount
        self.windowByteCount = windowByteCount
        self.unreadByteCount = unreadByteCount
        self.unansweredFor = unansweredFor
    }
}

extension Stream {
    /// What is known of the peer now.
    public var peerSigns: PeerSigns {
        let report = memory == nil ? Socket.peerReport(fd) : nil
        return PeerSigns(
            acknowledgedByteCount: report?.acknowledgedByteCount ?? sentByteCount,
            outstandingByteCount: outstandingByteCount,
            unsentByteCount: queuedByteCount + (report?.unsentByteCount ?? 0),
            windowByteCount: report?.windowByteCount ?? 0,
            unreadByteCount: memory?.unreadByteCount ?? Socket.unreadByteCount(fd),
            unansweredFor: report?.unansweredFor)
    }

    /// Bytes that are on their way: in the queue, in our kernel, in the network.
    public var outstandingByteCount: Int {
        queuedByteCount + (memory == nil ? Socket.unacknowledgedByteCount(fd) : 0)
    }
}
