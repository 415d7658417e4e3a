/// What of a handler's code runs. Loops note it with the route's number, as their activity: the
/// warning about a blocked thread and the report of a crash name it.
enum RoutePart: Int, CaseIterable, Sendable {
    /// The hooks of a connection.
    case connection
    case whileServing
    case feed
    case http

    /// In the order of ``Routes/inActivityOrder``.
    func activity(ofRoute index: Int) -> Int { index &* Self.allCases.count &+ rawValue }

    /// - Returns: `nil` if no code of a handler was noted.
    static func of(activity: Int) -> (routeIndex: Int, part: RoutePart)? {
        guard activity >= 0 else { return nil }
        let (index, number) = activity.quotientAndRemainder(dividingBy: allCases.count)
        return RoutePart(rawValue: number).map { (index, $0) }
    }

    /// Stands before a route in the log.
    var name: String {
        switch self {
        case .connection: "the handler"
        case .whileServing: "whileServing"
        case .feed: "the feed"
        case .http: "the hook http"
        }
    }
}
