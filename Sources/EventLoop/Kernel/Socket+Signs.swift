import CLinux

/// What the kernel says of a TCP connection's other end; ``PeerSigns`` has the words.
struct PeerReport {
    let acknowledgedByteCount: Int
    let unsentByteCount: Int
    let windowByteCount: Int
    let unansweredFor: Duration?
}

extension Socket {
    /// `nil`: it is no TCP connection, or the kernel does not say.
    static func peerReport(_ fd: Int32) -> PeerReport? {
        var report = linux_tcp_report()
        guard linux_tcp_report(fd, &report) == 0 else { return nil }
        // The second of two probes was sent because the first had no answer. One alone may have
        // left just now.
        let isWaiting =
            report.unacknowledged_segment_count > 0 || report.unanswered_probe_count > 1
        return PeerReport(
            acknowledgedByteCount: Int(truncatingIfNeeded: report.acknowledged_byte_count),
            unsentByteCount: Int(report.unsent_byte_count),
            windowByteCount: Int(report.window_byte_count),
            unansweredFor: isWaiting
                ? .milliseconds(Int64(report.milliseconds_since_acknowledgement)) : nil)
    }

    /// Bytes that were received and not read.
    static func unreadByteCount(_ fd: Int32) -> Int { max(0, Int(linux_unread_byte_count(fd))) }

    /// Bytes that were sent and not acknowledged.
    static func unacknowledgedByteCount(_ fd: Int32) -> Int {
        max(0, Int(linux_unacknowledged_byte_count(fd)))
    }
}
