import HTTPProtocol

/// The page that a browser gets at `/`, and the answer for paths that lead nowhere.
struct Pages: Sendable {
    private let index: [UInt8]

    /// - Parameter changes: the version that the page shows, if it follows ``ChangeFeed``.
    init(_ routes: Routes, changes: String? = nil) {
        index = Array(IndexPage.html(routes, changes: changes).utf8)
    }

    func response(path: String, head: RequestHead) -> Response {
        guard path == "/" else {
            return Response(.notFound, text: "Nothing is here. The page at / lists what is.")
        }
        guard head.method == "GET" || head.method == "HEAD" else {
            return Response(
                .methodNotAllowed, text: "This page is for GET.", fields: ["Allow": "GET, HEAD"])
        }
        var page = Response(.ok, type: "text/html; charset=utf-8", body: index)
        page.add("Content-Security-Policy", IndexPage.contentSecurityPolicy)
        return page
    }
}
