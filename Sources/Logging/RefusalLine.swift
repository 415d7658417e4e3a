import EventLoop

/// A handshake that was not answered with 101.
package struct RefusalLine: LogLine {
    private let route: String
    private let peer: SocketAddress
    private let status: Int?
    private let reason: String

    /// - Parameters:
    ///   - route: the path that was asked for, safe to print, as `reason` is.
    ///   - status: `nil`: the connection was closed without an answer.
    package init(route: String, peer: SocketAddress, status: Int?, reason: String) {
        self.route = route
        self.peer = peer
        self.status = status
        self.reason = reason
    }

    package var message: String? { nil }

    package func addFields(to line: inout LineText) {
        line.add("event", .text("refused"), .plain)
        line.add("route", .text(route), .after(" "))
        line.add("peer", .address(peer), .after(" "))
        if let status { line.add("status", .number(status), .after(" ")) }
        line.add("reason", .text(reason), .after(": "))
    }
}
