import CommandLineOptions
import WebSocketHost

extension ServerOptions {
    static let admin: [ServerOption] = [
        ServerOption(
            name: "health-path", value: "PATH",
            help: "where anybody may ask, without a password, whether clients should be sent here: "
                + "200 or 503, for a load balancer"
        ) { settings, text, option throws(UsageError) in
            settings.configuration.healthPath = try path(text, option)
        }
    ]

    /// As it is after percent-decoding.
    private static func path(_ text: String, _ option: String) throws(UsageError) -> String {
        guard text.utf8.first == UInt8(ascii: "/"), !text.contains(where: { "?#".contains($0) })
        else {
            throw UsageError("\(option): expected a path such as /health, found '\(escaped(text))'")
        }
        return text
    }
}
