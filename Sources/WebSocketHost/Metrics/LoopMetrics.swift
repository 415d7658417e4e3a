import Counting
import EventLoop
import HTTPProtocol
import Metrics
import WebSocketConnection

/// What one loop counts. Belongs to the loop's thread.
final class LoopMetrics {
    private let metrics: ServerMetrics
    private let lane: Int
    private let loop: CounterCells
    /// For what no handler has the path of.
    private let noRoute: CounterCells
    /// By the route's index; `nil`: nothing is counted for it. Set before the loop begins.
    private var routes: [CounterCells?] = []

    /// - Parameter lane: the loop's number among those of the server.
    init(_ metrics: ServerMetrics, lane: Int) {
        self.metrics = metrics
        self.lane = lane
        loop = metrics.place.loop(lane: lane)
        noRoute = metrics.place.route(nil, lane: lane)
    }

    /// Before the loop begins.
    func serve(_ routes: Routes) {
        // The feed of the index page is the server's own.
        self.routes = routes.all.map { route in
            route.path == ChangeFeed.path ? nil : metrics.place.route(route.path, lane: lane)
        }
    }

    private func cells(of route: Route) -> CounterCells? {
        routes.indices.contains(route.index) ? routes[route.index] : nil
    }

    var topicCells: (cells: CounterCells, owner: AnyObject & Sendable) {
        (loop.from(LoopCells.topics), metrics)
    }

    func connectionCounters(of route: Route) -> ConnectionCounters? {
        cells(of: route).map {
            ConnectionCounters(
                route: $0.from(RouteCells.connections), loop: loop.from(LoopCells.connections))
        }
    }
}

extension LoopMetrics {
    /// A handshake was answered with 101.
    func accepted(_ route: Route, after duration: Duration) {
        guard let cells = cells(of: route) else { return }
        cells.add(1, to: RouteCells.accepted)
        loop.observe(
            Int(duration.wholeNanoseconds), in: .roundTrip, at: LoopCells.handshakeDurations)
    }

    /// A handshake got another answer, or none.
    ///
    /// - Parameter route: that of its path; `nil`: none.
    func refused(_ route: Route?, _ status: Status?) {
        let result = status.map { HandshakeResult(status: Int($0.code)) } ?? .rejected
        count(result, route)
    }

    /// The client has gone before the answer.
    func lostHandshake(of route: Route) { count(.lost, route) }

    private func count(_ result: HandshakeResult, _ route: Route?) {
        let cells = if let route { cells(of: route) } else { noRoute as CounterCells? }
        cells?.add(1, to: RouteCells.handshakes + result.index)
    }

    /// What waits to be sent on all connections.
    func noteQueued(_ byteCount: Int) { loop.set(LoopCells.queuedBytes, to: byteCount) }
}
