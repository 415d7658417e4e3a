import CommandLineOptions
import Proxies
import WebSocketHost

extension ServerOptions {
    static let proxies: [ServerOption] = [
        ServerOption(
            name: "trusted-proxies", value: "LIST",
            help: "addresses and networks of proxies in front, separated by commas, such as "
                + "10.0.0.0/8,::1; unix: all that come through a Unix-domain socket. What they say "
                + "of their clients counts in the log, in limits and in handlers; others are "
                + "ignored"
        ) { settings, text, option throws(UsageError) in
            settings.configuration.proxies.trusted = try Values.trustedProxies(text, option)
        },
        ServerOption(
            name: "proxy-headers", value: "KIND",
            help: "where they say it: x-forwarded (default; X-Forwarded-For, -Proto, -Host) or "
                + "forwarded (RFC 7239)"
        ) { settings, text, option throws(UsageError) in
            guard let headers = ProxyHeaders(rawValue: text.lowercased()) else {
                throw Values.notOneOf(ProxyHeaders.allCases.map(\.rawValue), text, option)
            }
            settings.configuration.proxies.headers = headers
        }.byDefault(defaults.proxies.headers.rawValue)
            .offering(ProxyHeaders.allCases.map(\.rawValue)),
        ServerOption(
            name: "proxy-protocol",
            help: "each connection begins with a header of the PROXY protocol, version 1 or 2, "
                + "from a trusted proxy; any other is closed"
        ) { settings, _, _ in settings.configuration.proxies.usesProxyProtocol = true },
    ]
}

extension ServerOptions {
    static func checkProxies(_ configuration: Configuration) throws(UsageError) {
        guard configuration.proxies.trusted.isEmpty else { return }
        let name =
            configuration.proxies.usesProxyProtocol
            ? "--proxy-protocol" : "--listen ADDRESS,proxy-protocol"
        guard configuration.usesProxyProtocol else { return }
        throw UsageError("\(name) needs the proxy's address: add --trusted-proxies LIST")
    }
}

extension Values {
    /// `unix`, addresses and ranges, separated by commas.
    static func trustedProxies(
        _ text: String, _ option: String
    ) throws(UsageError) -> TrustedProxies {
        var trusted = TrustedProxies()
        for part in text.split(separator: ",").map({ $0.filter { $0 != " " } }) {
            if part == "unix" {
                trusted.includesUnix = true
            } else if let range = AddressRange(part) {
                trusted.ranges.append(range)
            } else {
                throw UsageError(
                    "\(option): '\(escaped(part))' is neither an address nor a network: write "
                        + "192.0.2.1, 10.0.0.0/8, 2001:db8::/32 (no bits behind the prefix) "
                        + "or unix")
            }
        }
        guard !trusted.isEmpty else { throw UsageError("\(option): no proxy given") }
        return trusted
    }
}
