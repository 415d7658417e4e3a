import EventLoop
import HTTPProtocol

/// The page that stands for a folder without an `index.html`.
enum DirectoryListing {
    /// 2,000 names: each is looked at, which takes some 10 ms in all.
    static let countLimit = 2_000
    static let contentSecurityPolicy = "default-src 'none'; base-uri 'none'; form-action 'none'"

    /// - Parameters:
    ///   - path: the folder's, percent-decoded, with a slash at its end.
    ///   - base: what stands before that in URLs, decoded too.
    ///   - names: what may be shown, with a slash behind folders.
    static func html(path: String, below base: String = "", names: [String]) -> String {
        let sorted = names.sorted {
            let (a, b) = ($0.endsExactly(with: "/"), $1.endsExactly(with: "/"))
            return a == b ? $0 < $1 : a
        }
        // "./", or a name with a colon would be taken for a scheme.
        let items = sorted.map { name in
            "<li><a href=\"./\(ResourcePath.percentEncoded(name))\"><bdi>"
                + "\(escapedHTML(name))</bdi></a></li>\n"
        }.joined()
        let title = escapedHTML(base + path)
        let parent = path == "/" ? "" : "<p><a href=\"../\">one folder up</a></p>\n"
        let rest = names.count < countLimit ? "" : "<p>Only \(countLimit) names are shown.</p>\n"
        return """
            <!doctype html>
            <html lang="en">
            <head>
            <meta charset="utf-8">
            <meta name="viewport" content="width=device-width, initial-scale=1">
            <meta name="color-scheme" content="light dark">
            <title>\(title)</title>
            </head>
            <body>
            <h1><bdi>\(title)</bdi></h1>
            \(parent)<ul>
            \(items)</ul>
            \(rest)</body>
            </html>

            """
    }
}
