import CommandLineOptions
import WebSocketHost

extension ServerOptions {
    static let admin: [ServerOption] = [
        ServerOption(
            name: "admin-listen", value: "ADDRESS",
            help: "where you ask how the server is, with curl, a scraper or 'status': "
                + "127.0.0.1:9999, or unix:/run/admin.sock,mode=0660. Whoever reaches it may close "
                + "connections"
        ) { settings, text, option throws(UsageError) in
            do throws(ListenAddressError) {
                var listener = ListenerSettings(try ListenAddress.parse(text))
                listener.option = "--admin-listen"
                settings.configuration.adminListener = listener
            } catch {
                throw UsageError("\(option): \(escaped("\(error)", limit: 1_000))")
            }
        },
        ServerOption(
            name: "health-path", value: "PATH",
            help: "where anybody may ask, without a password, whether clients should be sent here: "
                + "200 or 503, for a load balancer"
        ) { settings, text, option throws(UsageError) in
            settings.configuration.healthPath = try path(text, option)
        },
    ]

    /// - Throws: if the owner's address is one for clients.
    static func checkAdmin(_ settings: ServerSettings) throws(UsageError) {
        let configuration = settings.configuration
        guard let admin = configuration.adminListener?.address else { return }
        for listener in configuration.allListeners where listener.address.isSamePlace(as: admin) {
            throw UsageError(
                "--admin-listen: \(admin) is where clients connect (\(listener.option)); "
                    + "choose another one")
        }
    }

    /// As it is after percent-decoding.
    private static func path(_ text: String, _ option: String) throws(UsageError) -> String {
        guard text.utf8.first == UInt8(ascii: "/"), !text.contains(where: { "?#".contains($0) })
        else {
            throw UsageError("\(option): expected a path such as /health, found '\(escaped(text))'")
        }
        return text
    }
}
