import EventLoop
import Topics

/// A `whileServing` or a `feed` of a handler, and where it runs.
final class ServingHook: Sendable {
    typealias Body = @Sendable (Serving) async throws -> Void

    let route: Route
    let part: RoutePart
    let body: Body
    let executor: RouteExecutor
    let log: Log
    let topics: TopicBroker

    init(
        _ part: RoutePart, of route: Route, on loop: Loop, log: Log, _ topics: TopicBroker,
        _ body: @escaping Body
    ) {
        self.route = route
        self.part = part
        self.body = body
        executor = RouteExecutor(loop, activity: part.activity(ofRoute: route.index))
        self.log = log
        self.topics = topics
    }

    var loop: Loop { executor.loop }

    /// For the log.
    var name: String {
        let file = route.source.isEmpty ? "" : " (\(escaped(route.source)))"
        return "\(part.name) of \(escaped(route.path))\(file)"
    }

    /// All of these routes. A handler that answers several paths has its hooks once.
    static func all(
        of routes: Routes, on loop: Loop, log: Log, _ topics: TopicBroker
    ) -> [ServingHook] {
        var known: Set<ObjectIdentifier> = []
        var hooks: [ServingHook] = []
        for route in routes.all {
            guard case .handler(let handler) = route.content,
                known.insert(ObjectIdentifier(handler.hooks)).inserted
            else { continue }
            for (part, body) in [
                (RoutePart.whileServing, handler.hooks.options.whileServing),
                (.feed, handler.hooks.options.feed),
            ] {
                guard let body else { continue }
                hooks.append(ServingHook(part, of: route, on: loop, log: log, topics, body))
            }
        }
        return hooks
    }
}
