import HTTPServer

/// The page at `/`: every route, with a form to connect, send and see what comes back.
///
/// One file without a library, so that it works offline and behind any proxy. Names of routes come
/// from names of files, and messages from the compiler: all of it is escaped, and the script reads
/// it from `data-` attributes. ``IndexPageAssets`` has what is the same for every server.
enum IndexPage {
    /// Only what the page itself brings may run or be shown, and it may connect anywhere. No other
    /// page gets it into a frame, or its text into a script.
    static let fields: KeyValuePairs = [
        "Content-Security-Policy":
            "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; "
            + "connect-src *; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
        "X-Frame-Options": "DENY",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Referrer-Policy": "no-referrer",
    ]

    /// - Parameters:
    ///   - base: what all URLs' paths begin with.
    ///   - changes: the version that it shows, if it follows ``ChangeFeed``.
    static func html(_ routes: Routes, base: String = "", changes: String? = nil) -> String {
        let listing = routes.listing
        let broken = listing.count { $0.failure != nil }
        let followed = changes.map {
            " data-changes=\"\(base)\(ChangeFeed.path)\" data-version=\"\($0)\""
        }
        let sections =
            listing.isEmpty
            ? IndexPageAssets.emptyDirectory
            : listing.map { section($0, base, isWatched: changes != nil) }.joined()
        return """
            <!doctype html>
            <html lang="en">
            <head>
            <meta charset="utf-8">
            <meta name="viewport" content="width=device-width, initial-scale=1">
            <meta name="color-scheme" content="light dark">
            <title>WebSocketHost</title>
            <style>\(IndexPageAssets.style)\(IndexPageAssets.topicsStyle)</style>
            </head>
            <body data-topics="\(base)\(TopicList.path)"\(followed ?? "")>
            <header>
            <h1>WebSocketHost</h1>
            <p>\(summary(routeCount: listing.count, brokenCount: broken))</p>
            </header>
            <main>
            \(changes == nil ? "" : IndexPageAssets.changes)\
            \(sections)
            \(IndexPageAssets.topics)
            <noscript><p>The forms need JavaScript; the addresses do not.</p></noscript>
            </main>
            \(IndexPageAssets.consoleTemplate)
            <script>\(IndexPageAssets.script)\(IndexPageAssets.topicsScript)</script>
            </body>
            </html>

            """
    }

    private static func summary(routeCount: Int, brokenCount: Int) -> String {
        if routeCount == 0 { return "The server runs, and has no handlers yet." }
        let served = routeCount - brokenCount
        let noun = served == 1 ? "route" : "routes"
        let text = "\(served) \(noun). Open one, connect, send something."
        if brokenCount == 0 { return text }
        let verb = brokenCount == 1 ? "does" : "do"
        return text + " <strong>\(brokenCount) \(verb) not compile.</strong>"
    }

    private static func section(
        _ route: RouteSummary, _ base: String, isWatched: Bool
    ) -> String {
        let (path, source) = (route.path, route.source)
        let name = """
            <span class="path"><bdi>\(escapedHTML(path))</bdi></span>\
            <span class="source"><bdi>\(escapedHTML(source))</bdi></span>
            """
        guard route.failure == nil else { return route.brokenSection(name, isWatched: isWatched) }
        return """
            <details class="route" data-path="\(base)\(route.urlPath)" \
            data-name="\(escapedHTML(path))">
            <summary>\(name)<span class="state"></span></summary>
            </details>

            """
    }
}
