import EventLoop

/// A connection that opened or closed.
package struct AccessLine: LogLine {
    /// What is known at the end.
    package struct End: Sendable {
        /// 1006 if TCP ended without a Close.
        package var code: UInt16
        /// Our Close, when the peer did not answer it.
        package var unansweredCode: UInt16?
        package var duration: Duration
        /// What came and went after the handshake.
        package var receivedMessageCount: Int
        package var receivedByteCount: Int
        package var sentMessageCount: Int
        package var sentByteCount: Int

        package init(
            code: UInt16, unansweredCode: UInt16?, duration: Duration, receivedMessageCount: Int,
            receivedByteCount: Int, sentMessageCount: Int, sentByteCount: Int
        ) {
            self.code = code
            self.unansweredCode = unansweredCode
            self.duration = duration
            self.receivedMessageCount = receivedMessageCount
            self.receivedByteCount = receivedByteCount
            self.sentMessageCount = sentMessageCount
            self.sentByteCount = sentByteCount
        }
    }

    private let connectionID: UInt64
    private let route: String
    private let peer: SocketAddress
    private let isCompressed: Bool
    private let end: End?

    /// - Parameters:
    ///   - route: safe to print.
    ///   - end: `nil`: the connection opens.
    package init(
        connectionID: UInt64, route: String, peer: SocketAddress, isCompressed: Bool, end: End?
    ) {
        self.connectionID = connectionID
        self.route = route
        self.peer = peer
        self.isCompressed = isCompressed
        self.end = end
    }

    package var message: String? { nil }

    package func addFields(to line: inout LineText) {
        line.add("event", .text(end == nil ? "open" : "close"), .plain)
        line.add("connection", .number(Int(clamping: connectionID)), .hidden)
        line.add("route", .text(route), .after(" "))
        line.add("peer", .address(peer), .after(" "))
        line.add("compressed", .flag(isCompressed), end == nil ? .after(" compressed") : .hidden)
        guard let end else { return }
        line.add("code", .number(Int(end.code)), .after(" code="))
        if let code = end.unansweredCode {
            line.add("unanswered_code", .number(Int(code)), .between(" (no answer to ", ")"))
        }
        let milliseconds = Int(end.duration.wholeNanoseconds / 1_000_000)
        line.add("duration_ms", .number(milliseconds), .between(" ", " ms"))
        line.add(
            "messages_in", .number(end.receivedMessageCount), .counting(", received ", " message"))
        line.add("bytes_in", .number(end.receivedByteCount), .counting(" ", " byte"))
        line.add("messages_out", .number(end.sentMessageCount), .counting(", sent ", " message"))
        line.add("bytes_out", .number(end.sentByteCount), .counting(" ", " byte"))
    }
}
