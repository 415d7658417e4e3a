import EventLoop
import WebSocketHost

/// The messages of the program's start.
enum StartUp {
    /// The addresses, the routes, and what was left out and why.
    static func text(
        _ settings: ServerSettings, _ routes: Routes, _ addresses: [SocketAddress]
    ) -> String {
        let port = addresses.first?.port ?? settings.configuration.port
        let origin = "\(host(settings.configuration.host)):\(port)"
        let page = "\(settings.configuration.tls == nil ? "http" : "https")://\(origin)/"
        var lines = ["WebSocketHost \(Program.version) serves"]
        for route in routes.listing where route.failure == nil {
            let url =
                "\(settings.configuration.tls == nil ? "ws" : "wss")://\(origin)\(route.urlPath)"
            lines.append("  \(url)")
        }
        if routes.isEmpty {
            lines.append(
                "  no handlers: save one as NAME_wsh.swift in the handlers directory (-w), then "
                    + "start again"
            )
        }
        lines += routes.listing.compactMap(\.failureLine).map { "  " + $0 }
        lines += settings.tls.notes(port: port).map { "  " + $0 }
        lines += settings.siteLines
        let listening = addresses.map { "\($0)" }.joined(separator: " and ")
        let isShown = settings.configuration.showsIndexPage(on: addresses)
        if let note = PageOptions.note(settings, page, addresses) { lines.append("  " + note) }
        lines.append(
            "listening on \(listening); \(isShown ? "try them at \(page); " : "")Ctrl-C stops")
        return lines.joined(separator: "\n")
    }

    /// The table of `--list-routes`.
    static func listing(_ routes: Routes) -> String {
        routes.listing.map { route in
            [route.path, route.source, route.failureState].compactMap(\.self).joined(
                separator: "\t")
        }.joined(separator: "\n")
    }

    static func broken(_ routes: Routes) -> String {
        let sources = routes.listing.filter { $0.failure != nil }.map(\.source)
        return "\(sources.joined(separator: ", ")): not compiled"
    }

    /// How a client on this machine names the host.
    private static func host(_ host: String) -> String {
        switch host {
        case "*", "", "0.0.0.0", "::": "localhost"
        default: host.contains(":") && !host.hasPrefix("[") ? "[\(host)]" : host
        }
    }
}
