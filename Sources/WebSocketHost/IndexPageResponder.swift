import HTTPProtocol
import HTTPServer

/// The page that a browser gets at `/`: every route. Made once, before the loops begin.
final class IndexPageResponder: Responder, Sendable {
    private let page: Response

    /// - Parameter changes: the version that the page shows, if it follows ``ChangeFeed``.
    init(_ routes: Routes, changes: String? = nil) {
        let html = IndexPage.html(routes, changes: changes)
        var page = Response(.ok, type: "text/html; charset=utf-8", body: Array(html.utf8))
        page.fields.add("Content-Security-Policy", IndexPage.contentSecurityPolicy)
        self.page = page
    }

    func respond(to request: inout Request, _ exchange: Exchange) -> Reply {
        guard request.path == "/" else {
            return .response(
                Response(.notFound, text: "Not found. The page at / lists all routes."))
        }
        return .response(request.isReading ? page : .readOnly)
    }
}
