import EventLoop
import HTTPProtocol
import HTTPServer

/// The hosts by which a browser may ask for what is meant for the author: the page at `/`, its feed
/// of changes, and what the compiler said.
///
/// A page of a stranger can give its own name the address of this server, once the browser has
/// loaded it (DNS rebinding). Then the browser takes both for one origin, and lets the stranger
/// read all answers. It still sends the stranger's name as Host, and by that it is refused. A name
/// that leads to the client's own machine, and an address, cannot be pointed elsewhere. A request
/// of HTTP/1.0 without any Host comes from no browser, but from the health check of a proxy.
struct OwnHosts: Sendable {
    private let hosts: Set<URLHost>

    /// - Parameter names: hosts without a port; those that stand for every address are left out.
    init(_ names: [String]) {
        hosts = Set(
            names.filter { $0 != "*" }.compactMap { URLHost($0) }.filter { !$0.isUnspecified })
    }

    /// - Parameters:
    ///   - authority: the server as the client named it, with any port; `nil`: it did not.
    ///   - localAddress: this end of the connection.
    func contain(
        _ authority: String?, localAddress: @autoclosure () -> SocketAddress?
    ) -> Bool {
        guard let authority else { return true }
        guard let host = Authority(authority).flatMap({ URLHost($0.host) }) else { return false }
        if host.isLoopback || hosts.contains(host) { return true }
        return host.isAddress && localAddress().flatMap { URLHost($0.host) } == host
    }

    /// What others are told.
    static let refusal =
        "This page answers only to the names of its server: localhost, its address, and those of "
        + "-H and --server-name."
}

extension OwnHosts {
    func contain(_ request: Request, _ exchange: Exchange) -> Bool {
        contain(request.receivedAuthority, localAddress: exchange.localAddress)
    }
}

extension Configuration {
    /// Whether the page at `/` is shown by a server that listens on these addresses.
    package func showsIndexPage(on addresses: [SocketAddress]) -> Bool {
        // Whoever comes through a Unix-domain socket comes from a proxy, and the proxy's clients
        // may be anywhere.
        showsIndexPage ?? addresses.allSatisfy { $0.isLoopback && $0.family != .unix }
    }

    /// - Returns: `nil` if the page is not shown.
    func ownHosts(on addresses: [SocketAddress]) -> OwnHosts? {
        showsIndexPage(on: addresses)
            ? OwnHosts(allListeners.compactMap(\.address.host) + serverNames) : nil
    }
}
