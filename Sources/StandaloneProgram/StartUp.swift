import EventLoop
import WebSocketHost

/// The messages of the program's start.
enum StartUp {
    /// The addresses, the routes, and what was left out and why.
    ///
    /// - Parameter addresses: of each listener.
    static func text(
        _ settings: ServerSettings, _ routes: Routes, _ addresses: [[SocketAddress]]
    ) -> String {
        let places = zip(settings.configuration.allListeners, addresses).map {
            Place($0, addresses: $1)
        }
        var lines = ["WebSocketHost \(Program.version) serves"]
        for route in routes.listing where route.failure == nil {
            lines += places.prefix(1).map { "  \($0.url)\(route.urlPath)" }
        }
        if routes.isEmpty {
            lines.append(
                "  no handlers: save one as NAME_wsh.swift in the handlers directory (-w), then "
                    + "start again"
            )
        } else {
            lines += places.dropFirst().map { "  and the same at \($0.url)/" }
        }
        lines += routes.listing.compactMap(\.failureLine).map { "  " + $0 }
        let securePort = places.first { $0.listener.isSecure }?.port
        lines += settings.tls.notes(port: securePort ?? 0).map { "  " + $0 }
        lines += settings.siteLines
        let all = addresses.flatMap(\.self)
        let pages = places.map { "\($0.page)/" }.joined(separator: " and ")
        let isShown = settings.configuration.showsIndexPage(on: all)
        if let note = PageOptions.note(settings, pages, all) { lines.append("  " + note) }
        lines.append(
            "listening on \(listening(places)); \(isShown ? "try them at \(pages); " : "")"
                + "Ctrl-C stops")
        return lines.joined(separator: "\n")
    }

    /// A listener, as clients on this machine name it.
    private struct Place {
        let listener: ListenerSettings
        let addresses: [SocketAddress]
        let port: UInt16
        private let origin: String

        init(_ listener: ListenerSettings, addresses: [SocketAddress]) {
            self.listener = listener
            self.addresses = addresses
            port = addresses.first?.port ?? listener.port
            origin = "\(host(listener.host)):\(port)"
        }

        var url: String { "\(listener.isSecure ? "wss" : "ws")://\(origin)" }
        var page: String { "\(listener.isSecure ? "https" : "http")://\(origin)" }
    }

    /// Says which addresses speak TLS where others do not.
    private static func listening(_ places: [Place]) -> String {
        places.map { place in
            let addresses = place.addresses.map { "\($0)" }.joined(separator: " and ")
            return places.count > 1 && place.listener.isSecure
                ? "with TLS on \(addresses)" : addresses
        }.joined(separator: ", ")
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
