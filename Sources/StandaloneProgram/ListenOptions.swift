import CommandLineOptions
import WebSocketHost

/// `--listen`, and where a server listens by it, `-H`, `-p` and `--tls-port` together.
struct ListenOptions: Sendable {
    /// In their order.
    private(set) var addresses: [ListenerSettings] = []

    /// Each is a descriptor of every server process.
    static let countLimit = 64

    static let option = ServerOption(
        name: "listen", value: "ADDRESS",
        help: "where to listen in place of -H and -p: localhost:9998, [::1]:9998, *:9998 or "
            + "unix:/run/x.sock,mode=0660; behind it ,tls or ,proxy-protocol; several: repeat it, "
            + "or put spaces between them; -p that is given too is one more"
    ) { settings, text, option throws(UsageError) in
        try settings.listen.add(text, option)
    }.repeatable(separatedBy: " ")

    private mutating func add(_ text: String, _ option: String) throws(UsageError) {
        let words = text.split(separator: " ").map(String.init)
        guard !words.isEmpty else { throw UsageError("\(option): no address given") }
        for word in words {
            do throws(ListenAddressError) {
                var listener = try ListenerSettings.parse(word)
                listener.option = "--listen"
                addresses.append(listener)
            } catch {
                throw UsageError("\(option): \(escaped("\(error)", limit: 1_000))")
            }
        }
    }

    var wantsTLS: Bool { addresses.contains(where: \.isSecure) }

    /// - Parameters:
    ///   - passed: those whose sockets are there already.
    ///   - host: `-H`, for `-p` and `--tls-port`.
    ///   - isPortGiven: whether `-p` was given; without `--listen` that makes no difference.
    /// - Returns: empty: `host` and `port` alone.
    func listeners(
        and passed: [ListenerSettings] = [], beside host: String, _ port: UInt16,
        isPortGiven: Bool, _ tls: TLSOptions
    ) throws(UsageError) -> [ListenerSettings] {
        let plain = ListenerSettings(host: host, port: port, isSecure: tls.isEverywhere)
        let hasOthers = !addresses.isEmpty || !passed.isEmpty
        let hasPlain = !hasOthers || isPortGiven
        let secure = try tls.listener(on: host, beside: hasPlain ? plain : nil)
        if !hasOthers && secure == nil { return [] }
        var all = hasPlain ? [plain] : []
        if let secure { all.append(secure) }
        for var listener in addresses {
            listener.isSecure = listener.isSecure || tls.isEverywhere
            if let twin = all.first(where: { $0.address.isSamePlace(as: listener.address) }) {
                throw UsageError(
                    "--listen: \(escaped("\(listener.address)", limit: 200)) is that of "
                        + "\(twin.option) too: remove one of them")
            }
            all.append(listener)
        }
        all += passed.map { listener in
            var listener = listener
            listener.isSecure = listener.isSecure || tls.isEverywhere
            return listener
        }
        guard all.count <= Self.countLimit else {
            throw UsageError("--listen: more than \(Self.countLimit) addresses")
        }
        return all
    }
}

extension ListenAddress {
    /// Whether no two sockets can be at both.
    func isSamePlace(as other: ListenAddress) -> Bool {
        switch (self, other) {
        case (.internet(let host, let port), .internet(let otherHost, let otherPort)):
            port != 0 && port == otherPort && host == otherHost
        case (.unix(let path, _), .unix(let otherPath, _)): path == otherPath
        default: false
        }
    }
}
