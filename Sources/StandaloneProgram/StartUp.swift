import EventLoop
import WebSocketHost

/// The messages of the program's start.
enum StartUp {
    /// The addresses, the routes, and what was left out and why.
    ///
    /// - Parameter addresses: of each listener.
    static func text(
        _ settings: ServerSettings, _ routes: Routes, _ addresses: [[SocketAddress]],
        admin: [SocketAddress] = []
    ) -> String {
        let places = StartUpPlace.list(settings.configuration, addresses)
        var lines = ["WebSocketHost \(Program.version) serves"]
        for route in routes.listing where route.failure == nil {
            lines += places.prefix(1).map { "  \($0.text(ofPath: route.urlPath))" }
        }
        if routes.isEmpty {
            lines.append(
                "  no handlers: save one as NAME_wsh.swift in the handlers directory (-w), then "
                    + "start again"
            )
        } else {
            lines += places.dropFirst().map { "  and the same at \($0.root)" }
        }
        lines += routes.listing.compactMap(\.failureLine).map { "  " + $0 }
        let securePlace = places.first { $0.listener.isSecure }?.placeForOpenSSL
        lines += settings.tls.notes(place: securePlace ?? "").map { "  " + $0 }
        lines += settings.siteLines
        if !admin.isEmpty {
            let places = admin.map { "\($0)" }.joined(separator: " and ")
            lines.append("  answers its owner on \(places) (--admin-listen)")
        }
        let all = addresses.flatMap(\.self)
        let pages = places.compactMap(\.page).joined(separator: " and ")
        let isShown = settings.configuration.showsIndexPage(on: all)
        let note = PageOptions.note(settings, pages.isEmpty ? "/" : pages, all)
        if let note { lines.append("  " + note) }
        lines.append(
            "listening on \(listening(places)); "
                + "\(isShown && !pages.isEmpty ? "try them at \(pages); " : "")Ctrl-C stops")
        return lines.joined(separator: "\n")
    }

    /// Says which addresses speak TLS where others do not.
    private static func listening(_ places: [StartUpPlace]) -> String {
        places.map { place in
            let passed = place.listener.isPassed ? " (passed by LISTEN_FDS)" : ""
            let addresses = place.addresses.map { "\($0)" }.joined(separator: " and ") + passed
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
}
