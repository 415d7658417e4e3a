import EventLoop
import HTTPProtocol
import Synchronization

/// One handler file's place in the registry that is generated from a directory of handlers.
public struct Registration: Sendable {
    private enum Content: Sendable {
        case handler(@Sendable () -> WebSocketHandler)
        case failure(String)
    }

    /// The path it answers: `/sub/echo` for `sub/echo_wsh.swift`.
    public let route: String
    /// The file, relative to the handlers directory.
    public let source: String
    private let content: Content

    /// - Parameter handler: made when ``Routes`` are, so that what its file does then can be
    ///   watched.
    public init(
        route: String, source: String,
        handler: @autoclosure @escaping @Sendable () -> WebSocketHandler
    ) {
        self.route = route
        self.source = source
        content = .handler(handler)
    }

    /// A file that was left out.
    ///
    /// - Parameter failure: `path:line:column: error: …`.
    public init(route: String, source: String, failure: String) {
        self.route = route
        self.source = source
        content = .failure(failure)
    }

    /// The same with an empty handler: to list what is served without running its code.
    public var withoutCode: Registration {
        guard failure == nil else { return self }
        return Registration(route: route, source: source, handler: WebSocketHandler { _ in })
    }

    /// The same file left out, if it is not already.
    public func leftOut(because failure: String) -> Registration {
        self.failure == nil ? Registration(route: route, source: source, failure: failure) : self
    }

    /// Why the file was left out; `nil` if it was not.
    public var failure: String? {
        if case .failure(let text) = content { text } else { nil }
    }

    fileprivate func made() -> Route.Content {
        switch content {
        case .handler(let handler): .handler(handler())
        case .failure(let text): .failure(text)
        }
    }
}

/// What a path leads to. Shared by all connections of the route.
final class Route: Sendable {
    enum Content: Sendable {
        case handler(WebSocketHandler)
        /// The compiler's message about a file that was left out.
        case failure(String)
    }

    let path: String
    let source: String
    /// Its place in ``Routes/all``.
    let index: Int
    let content: Content
    /// What a loop notes before a hook of a connection runs.
    var activity: Int { RoutePart.connection.activity(ofRoute: index) }
    /// Whether the browsers' rule about subprotocols was explained once.
    let hasWarnedOfSubprotocol = Atomic<Bool>(false)
    /// In nanoseconds of ``MonotonicTime``; 0: it is served.
    private let leftOutUntil = Atomic<Int64>(0)

    init(path: String, source: String, index: Int, content: Content) {
        self.path = path
        self.source = source
        self.index = index
        self.content = content
    }

    /// From any thread.
    func leaveOut(until end: MonotonicTime) {
        leftOutUntil.store(end.nanoseconds, ordering: .relaxed)
    }

    /// Whether its handler has the hook `http`.
    var answersHTTP: Bool {
        if case .handler(let handler) = content { handler.hooks.options.http != nil } else { false }
    }

    /// For how much longer it answers 503, because its file traps again and again; `nil`: it is
    /// served.
    func leftOut(at now: MonotonicTime) -> Duration? {
        let end = leftOutUntil.load(ordering: .relaxed)
        return end > now.nanoseconds ? MonotonicTime(nanoseconds: end) - now : nil
    }
}

extension Route {
    fileprivate var summary: RouteSummary {
        var failure: String?
        if case .failure(let text) = content { failure = text }
        return RouteSummary(path: path, source: source, failure: failure)
    }
}

/// Which handler answers which path.
public struct Routes: Sendable {
    private var byPath: [ExactText: Route] = [:]
    private(set) var all: [Route] = []

    /// - Parameter willMake: called before each handler is made, which runs code of its file.
    public init(_ registrations: [Registration] = [], willMake: (Registration) -> Void = { _ in }) {
        for registration in registrations {
            if registration.failure == nil { willMake(registration) }
            add(registration.route, registration.source, registration.made())
        }
    }

    /// Adds or replaces the handler of a path.
    ///
    /// - Parameter path: begins with `/`, as it is after percent-decoding.
    public mutating func add(_ path: String, _ handler: WebSocketHandler) {
        add(path, "", .handler(handler))
    }

    /// Lets `alias` lead where `existing` leads.
    ///
    /// - Returns: false if `existing` has no handler.
    public mutating func add(alias: String, for existing: String) -> Bool {
        guard let route = byPath[ExactText(existing)] else { return false }
        add(alias, route.source, route.content)
        return true
    }

    private mutating func add(_ path: String, _ source: String, _ content: Route.Content) {
        let key = ExactText(path)
        let index = byPath[key]?.index ?? all.count
        let route = Route(path: path, source: source, index: index, content: content)
        byPath[key] = route
        if index == all.count { all.append(route) } else { all[index] = route }
    }

    /// Lets the routes of a handler file answer 503 for a time from now on. From any thread, while
    /// servers use these routes.
    package func leaveOut(_ source: String, for duration: Duration) {
        let end = MonotonicTime.current() + duration
        for route in all where route.source.isExactly(source) { route.leaveOut(until: end) }
    }

    /// What serves a path, percent-decoded; the match is exact, as in pywebsocket3.
    func find(_ path: String) -> Route? { byPath[ExactText(path)] }

    public var isEmpty: Bool { all.isEmpty }

    /// All routes, in the order of their paths.
    public var listing: [RouteSummary] {
        all.map(\.summary).filter { $0.path != ChangeFeed.path }.sorted {
            $0.path.utf8.lexicographicallyPrecedes($1.path.utf8)
        }
    }

    /// The route of each activity that a loop can note, in the order of their numbers.
    package var inActivityOrder: [RouteSummary] {
        all.map(\.summary).flatMap { summary in RoutePart.allCases.map { _ in summary } }
    }
}

/// A route, for lists of them.
public struct RouteSummary: Sendable, Hashable {
    /// As it is after percent-decoding.
    public let path: String
    /// The handler's file, relative to the handlers directory; empty if it came from no file.
    public let source: String
    /// The compiler's message if it answers 503; `nil` if it does not.
    public let failure: String?

    /// The path as it stands in a URL.
    public var urlPath: String { ResourcePath.percentEncoded(path) }
}
