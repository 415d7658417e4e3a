import EventLoop
import HTTPProtocol
import WebSocketHost

/// A listener, as clients on this machine name it.
struct StartUpPlace {
    let listener: ListenerSettings
    let addresses: [SocketAddress]
    /// `localhost:9998`; `nil`: a Unix-domain socket.
    private let authority: String?
    /// `/`, or what `--base-path` says with a slash behind it.
    private let base: String

    /// Those first that a URL names.
    ///
    /// - Parameter addresses: of each listener.
    static func list(
        _ configuration: Configuration, _ addresses: [[SocketAddress]]
    ) -> [StartUpPlace] {
        let all = zip(configuration.allListeners, addresses).map {
            Self($0, addresses: $1, configuration.basePath)
        }
        let named = all.filter { $0.authority != nil }
        return named + all.filter { $0.authority == nil }
    }

    private init(
        _ listener: ListenerSettings, addresses: [SocketAddress], _ base: BasePath?
    ) {
        self.listener = listener
        self.base = "\(base?.urlPath ?? "")/"
        self.addresses = addresses
        let port = addresses.first?.port ?? listener.address.port
        authority = listener.address.host.map { "\(Self.named($0)):\(port)" }
    }

    /// There is no URL of a Unix-domain socket that all clients know.
    func text(ofPath path: String) -> String {
        authority == nil ? "\(base.dropLast())\(path) on \(root)" : root.dropLast() + path
    }

    var root: String {
        let suffix = listener.isSecure ? "s" : ""
        return authority.map { "ws\(suffix)://\($0)\(base)" }
            ?? "\(listener.address)\(listener.isSecure ? " with TLS" : "")"
    }

    /// `nil`: no browser can ask there.
    var page: String? { authority.map { "http\(listener.isSecure ? "s" : "")://\($0)\(base)" } }

    /// For `openssl s_client`.
    var placeForOpenSSL: String {
        switch listener.address {
        case .internet: "-connect localhost:\(addresses.first?.port ?? 0)"
        case .unix(let path, _): "-unix \(path)"
        }
    }

    /// How a client on this machine names the host.
    private static func named(_ host: String) -> String {
        switch host {
        case "*", "", "0.0.0.0", "::", "[::]": "localhost"
        default: host.contains(":") && !host.hasPrefix("[") ? "[\(host)]" : host
        }
    }
}
