import HTTPProtocol

/// Answers 404 for what is not below the base path, and hands the rest on as if there were none.
package final class BasePathResponder: Responder, Sendable {
    private let base: BasePath

    package init(_ base: BasePath) { self.base = base }

    package func respond(to request: inout Request, _ exchange: Exchange) -> Reply {
        guard let rest = base.rest(of: request.rawPath) else {
            return .response(
                Response(.notFound, text: "Not found: this server is below another path."))
        }
        // Relative links in the page there would be wrong. A handshake follows no redirect.
        if rest.isEmpty && !request.isUpgrade {
            let query = request.query.map { "?" + $0 } ?? ""
            var answer = Response(.permanentRedirect, text: "The page is at \(base)/.")
            answer.fields.add("Location", base.urlPath + "/" + query)
            return .response(answer)
        }
        request.enter(base, rest.isEmpty ? "/" : rest)
        return .pass
    }
}
