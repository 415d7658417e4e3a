import Counting
import EventLoop
import WebSocketProtocol

/// What connections count, in memory that they are given: what goes over those of one route on one
/// loop, and how long something took on all of that loop.
///
/// Belongs to the loop's thread.
package struct ConnectionCounters: Sendable {
    /// Of the route on this loop: ``routeCellCount`` cells.
    let route: CounterCells
    /// Of this loop: ``loopCellCount`` cells.
    let loop: CounterCells

    package init(route: CounterCells, loop: CounterCells) {
        self.route = route
        self.loop = loop
    }

    // The cells of a route.

    package static let receivedMessages = 0
    package static let sentMessages = 1
    package static let receivedBytes = 2
    package static let sentBytes = 3
    /// One for each of ``closeCodes``, of connections that the client closed.
    package static let closesByClient = 4
    /// The same of those that the server closed.
    package static let closesByServer = closesByClient + closeCodes.count
    package static let routeCellCount = closesByServer + closeCodes.count

    // The cells of a loop.

    package static let pings = 0
    package static let durations = HistogramBounds.roundTrip.cellCount
    package static let loopCellCount = durations + HistogramBounds.connection.cellCount

    /// The codes that are counted apart: those of the registry (RFC 6455 §7.4.1), and two for all
    /// that libraries and applications make up, which may be a new one each time.
    package static let closeCodes = [
        "1000", "1001", "1002", "1003", "other", "1005", "1006", "1007", "1008", "1009", "1010",
        "1011", "1012", "1013", "1014", "1015", "3000-3999", "4000-4999",
    ]

    /// The place of a code in ``closeCodes``. 1004 has no meaning, and stands for all other ones.
    static func place(of code: CloseCode) -> Int {
        switch code.rawValue {
        case 1000...1015: Int(code.rawValue) - 1_000
        case 3000...3999: 16
        case 4000...4999: 17
        default: 4
        }
    }
}

extension ConnectionCounters {
    @inline(__always)
    func received(messages: Int, bytes: Int) {
        route.add(messages, to: Self.receivedMessages)
        route.add(bytes, to: Self.receivedBytes)
    }

    @inline(__always)
    func sent(messages: Int, bytes: Int) {
        route.add(messages, to: Self.sentMessages)
        route.add(bytes, to: Self.sentBytes)
    }

    func closed(_ end: ConnectionEnd, after duration: Duration) {
        let first = end.side == .client ? Self.closesByClient : Self.closesByServer
        route.add(1, to: first + Self.place(of: end.code))
        loop.observe(Int(duration.wholeNanoseconds), in: .connection, at: Self.durations)
    }

    func answeredPing(after duration: Duration) {
        loop.observe(Int(duration.wholeNanoseconds), in: .roundTrip, at: Self.pings)
    }

    /// A process has gone without ending its connections: its peers saw no Close, which is 1006.
    /// For whoever counts on in the cells of that process.
    package static func lost(_ connections: Int, in route: CounterCells) {
        route.add(connections, to: closesByServer + place(of: .abnormalClosure))
    }
}

/// How a connection came to its end: whose doing it was, and the code of that side's Close.
struct ConnectionEnd: Equatable {
    enum Side { case client, server }
    let code: CloseCode
    let side: Side
}

extension Connection {
    /// What is counted about the end. Before ``enter(_:)``.
    ///
    /// The side is the one that began: it sent the first Close, failed the connection, or left. The
    /// code is that of its Close; 1006 without one.
    ///
    /// - Parameter isDropped: whether the server ended it without a Close.
    func countedEnd(_ ending: ConnectionError, isDropped: Bool) -> ConnectionEnd {
        if case .failed(let error) = ending {
            return ConnectionEnd(code: error.closeCode, side: .server)
        }
        if let received = session.receivedClose, !isAwaitingClose {
            return ConnectionEnd(code: received.code ?? .noStatusReceived, side: .client)
        }
        if let sent = session.sentClose {
            return ConnectionEnd(code: sent.code ?? .noStatusReceived, side: .server)
        }
        if case .lost = ending, !isDropped {
            return ConnectionEnd(code: .abnormalClosure, side: .client)
        }
        return ConnectionEnd(code: .abnormalClosure, side: .server)
    }

    private var isAwaitingClose: Bool { if case .awaitingClose = phase { true } else { false } }
}

extension Connection {
    /// Counts a message that has come, or the bytes of one.
    @inline(__always)
    func countReceived(_ byteCount: Int) {
        traffic.receivedMessageCount &+= 1
        endpoint.counters?.received(messages: 1, bytes: byteCount)
    }

    /// Counts messages that are queued.
    @inline(__always)
    func countSent(_ messageCount: Int, byteCount: Int) {
        traffic.sentMessageCount &+= messageCount
        endpoint.counters?.sent(messages: messageCount, bytes: byteCount)
    }
}
