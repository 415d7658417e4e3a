import EventLoop
import HTTPProtocol
import HTTPServer
import Topics

/// The page that a browser gets at `/`: every route. Made once, before the loops begin.
final class IndexPageResponder: Responder, Sendable {
    private let page: Response
    private let ownHosts: OwnHosts
    private let topics: TopicBroker
    /// What the page's path begins with.
    private let base: String

    /// - Parameters:
    ///   - topics: those that the page shows.
    ///   - base: what all paths are below; `nil`: `/`.
    ///   - ownHosts: those that are answered.
    ///   - changes: the version that the page shows, if it follows ``ChangeFeed``.
    init(
        _ routes: Routes, _ topics: TopicBroker, base: BasePath?, ownHosts: OwnHosts,
        changes: String?
    ) {
        self.base = base?.description ?? ""
        let html = IndexPage.html(routes, base: base?.urlPath ?? "", changes: changes)
        var page = Response(.ok, type: "text/html; charset=utf-8", body: Array(html.utf8))
        for (name, value) in IndexPage.fields { page.fields.add(name, value) }
        self.page = page
        self.ownHosts = ownHosts
        self.topics = topics
    }

    func respond(to request: inout Request, _ exchange: Exchange) -> Reply {
        let isForAuthor = ownHosts.contain(request, exchange)
        let isForTopics = request.path.isExactly(TopicList.path)
        guard request.path == "/" || isForTopics else {
            let hint = isForAuthor ? " The page at \(base)/ lists all routes." : ""
            return .response(Response(.notFound, text: "Not found.\(hint)"))
        }
        guard isForAuthor else {
            exchange.log.peerEvent(
                .misdirectedRequest, .info,
                "\(exchange.address(of: request)) wants the page at / of "
                    + "\(escaped(request.authority ?? "no host")), which is not a name of this "
                    + "server (--server-name)")
            return .response(Response(.misdirectedRequest, text: OwnHosts.refusal))
        }
        guard request.isReading else { return .response(.readOnly) }
        return .response(isForTopics ? TopicList.response(topics) : page)
    }
}

/// Stands in for the page where it is not shown.
final class NoIndexPageResponder: Responder, Sendable {
    func respond(to request: inout Request, _ exchange: Exchange) -> Reply {
        guard request.path == "/" else { return .pass }
        return .response(
            Response(.notFound, text: "No page is shown here (--index-page shows one)."))
    }
}
