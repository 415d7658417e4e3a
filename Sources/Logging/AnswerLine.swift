import EventLoop

/// A request for a page, a file or a script, and what was answered.
package struct AnswerLine: LogLine {
    private let method: String
    private let path: String
    private let peer: SocketAddress
    private let status: Int
    private let byteCount: Int

    /// - Parameters:
    ///   - method: safe to print, as `path` is: without the query, which may hold a secret.
    ///   - byteCount: of the answer's content.
    package init(method: String, path: String, peer: SocketAddress, status: Int, byteCount: Int) {
        self.method = method
        self.path = path
        self.peer = peer
        self.status = status
        self.byteCount = byteCount
    }

    package var message: String? { nil }

    package func addFields(to line: inout LineText) {
        line.add("event", .text("request"), .hidden)
        line.add("method", .text(method), .plain)
        line.add("path", .text(path), .after(" "))
        line.add("peer", .address(peer), .after(" "))
        line.add("status", .number(status), .after(" "))
        line.add("bytes", .number(byteCount), .counting(" ", " byte"))
    }
}
