import CommandLineOptions

/// The address of the server: a URL, or its parts as options of pywebsocket3's client.
struct ServerAddress: Sendable {
    var url: String?
    var host: String?
    var port: Int?
    var resource: String?
    var usesTLS = false

    private var hasParts: Bool { host != nil || port != nil || resource != nil || usesTLS }

    /// The URL to connect to.
    ///
    /// - Throws: if there is neither a URL nor a part, or both.
    var resolved: String {
        get throws(UsageError) {
            if let url {
                if hasParts {
                    throw UsageError("give either a URL or its parts (-s, -p, -r, -t), not both")
                }
                return url
            }
            guard hasParts else {
                throw UsageError("no server: give a URL such as ws://localhost:9998/echo")
            }
            let name = host ?? "localhost"
            let isBare = name.contains(":") && !name.hasPrefix("[")
            let path = resource ?? "/echo"
            return (usesTLS ? "wss://" : "ws://") + (isBare ? "[\(name)]" : name)
                + (port.map { ":\($0)" } ?? "") + (path.hasPrefix("/") ? path : "/" + path)
        }
    }
}
