import CommandLineOptions
import WebSocketHost

// Limits of one client. All are off by default: whom they would hit depends on what is in front of
// the server.

extension ServerOptions {
    static let clients: [ServerOption] = [
        optionalCount(
            "max-connections-per-address", 1_000_000,
            "open connections of one client (an IPv4 address, or a /64 network of IPv6); more get "
                + "429; 0 (default): no limit"
        ) { $0.connectionsPerAddressLimit = $1 },
        optionalCount(
            "handshakes-per-minute", 60_000,
            "handshakes of one such client, as many at once as in a minute; more get 429; "
                + "0 (default): no limit"
        ) { $0.handshakesPerMinuteLimit = $1 },
        optionalCount(
            "messages-per-second", 1_000_000,
            "messages that one connection may send; more wait, or get close 1008 where a handler "
                + "says so; 0 (default): no limit"
        ) { $0.connection.messageRate.messagesPerSecond = $1 ?? 0 },
        optionalCount(
            "message-burst", 1_000_000,
            "messages that may come at once after some silence; 0 (default): as many as in a second"
        ) { $0.connection.messageRate.burst = $1 },
    ]

    /// 0 is none.
    private static func optionalCount(
        _ name: String, _ maximum: Int, _ help: String,
        set: @escaping @Sendable (inout Configuration, Int?) -> Void
    ) -> ServerOption {
        ServerOption(name: name, value: "COUNT", help: help) {
            settings, text, option throws(UsageError) in
            let count = try Values.integer(text, 0...maximum, option)
            set(&settings.configuration, count == 0 ? nil : count)
        }.byDefault(0)
    }
}
