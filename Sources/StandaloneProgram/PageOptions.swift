import CommandLineOptions
import EventLoop
import WebSocketHost

/// The options of the page at `/`, and why it is shown or not.
enum PageOptions {
    /// Whether it is asked for.
    enum Wish: Sendable {
        /// Neither option was given.
        case none
        case shown, hidden
        case contradictory
    }

    static let all: [ServerOption] = [
        ServerOption(
            name: "index-page",
            help: "show the page at /, which lists the routes and what does not compile, also "
                + "where it is not by default: on an address that is no loopback address, on "
                + "Unix-domain sockets, and in programs of 'build'"
        ) { settings, _, _ in settings.pageWish.add(.shown) },
        ServerOption(name: "no-index-page", help: "never show it") { settings, _, _ in
            settings.pageWish.add(.hidden)
        },
        ServerOption(
            name: "server-name", value: "NAMES",
            help: "more names, separated by commas, by which browsers may ask for it, beside "
                + "localhost, -H and the server's address; others get 421"
        ) { settings, text, option throws(UsageError) in
            for name in text.split(separator: ",") {
                settings.configuration.serverNames.append(try Values.host(String(name), option))
            }
        }.repeatable(separatedBy: ","),
    ]

    static func check(_ settings: ServerSettings) throws(UsageError) {
        if settings.pageWish == .contradictory {
            throw UsageError("--index-page and --no-index-page exclude each other")
        }
    }

    /// - Parameter isFromScript: whether standalone.sh started this program. One that was made to
    ///   be run elsewhere has no author beside it.
    static func apply(to settings: inout ServerSettings, isFromScript: Bool) {
        switch settings.pageWish {
        case .none where isFromScript: settings.configuration.showsIndexPage = nil
        case .none, .hidden, .contradictory: settings.configuration.showsIndexPage = false
        case .shown: settings.configuration.showsIndexPage = true
        }
    }

    /// A line for the start-up message where the page is not shown and nobody said so; else `nil`.
    static func note(
        _ settings: ServerSettings, _ page: String, _ addresses: [SocketAddress]
    ) -> String? {
        guard settings.pageWish == .none, !settings.configuration.showsIndexPage(on: addresses)
        else { return nil }
        let reason =
            settings.configuration.showsIndexPage != nil
            ? "this program was not started by standalone.sh"
            : addresses.contains(where: { $0.family == .unix })
                ? "whoever comes through a Unix-domain socket, by a proxy, could read it"
                : "other machines could read it (-H)"
        return "no page at \(page): \(reason); --index-page shows it"
    }
}

extension PageOptions.Wish {
    fileprivate mutating func add(_ other: PageOptions.Wish) {
        self = self == .none || self == other ? other : .contradictory
    }
}
