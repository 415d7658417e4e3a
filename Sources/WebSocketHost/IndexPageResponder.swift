import EventLoop
import HTTPProtocol
import HTTPServer

/// The page that a browser gets at `/`: every route. Made once, before the loops begin.
final class IndexPageResponder: Responder, Sendable {
    private let page: Response
    private let ownHosts: OwnHosts

    /// - Parameters:
    ///   - ownHosts: those that are answered.
    ///   - changes: the version that the page shows, if it follows ``ChangeFeed``.
    init(_ routes: Routes, ownHosts: OwnHosts, changes: String?) {
        let html = IndexPage.html(routes, changes: changes)
        var page = Response(.ok, type: "text/html; charset=utf-8", body: Array(html.utf8))
        for (name, value) in IndexPage.fields { page.fields.add(name, value) }
        self.page = page
        self.ownHosts = ownHosts
    }

    func respond(to request: inout Request, _ exchange: Exchange) -> Reply {
        let isForAuthor = ownHosts.contain(request, exchange)
        guard request.path == "/" else {
            let hint = isForAuthor ? " The page at / lists all routes." : ""
            return .response(Response(.notFound, text: "Not found.\(hint)"))
        }
        guard isForAuthor else {
            exchange.log.peerEvent(
                .misdirectedRequest, .info,
                "\(exchange.stream.peer) wants the page at / of "
                    + "\(escaped(request.authority ?? "no host")), which is not a name of this "
                    + "server (--server-name)")
            return .response(Response(.misdirectedRequest, text: OwnHosts.refusal))
        }
        return .response(request.isReading ? page : .readOnly)
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
