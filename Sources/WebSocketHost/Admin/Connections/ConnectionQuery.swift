import EventLoop
import HTTPProtocol
import Proxies
import WebSocketConnection

/// Which connections are listed: what stands behind the `?` of `/connections`.
struct ConnectionQuery: Hashable, Sendable {
    /// Exactly this route; `nil`: any.
    var route: String?
    /// Clients of these addresses; `nil`: any.
    var addresses: AddressRange?
    /// How many are listed at most.
    var limit = defaultLimit

    static let defaultLimit = 1_000
    static let greatestLimit = 10_000

    /// What is wrong with it, as a sentence.
    struct Failure: Error, Hashable { let text: String }

    init() {}

    init(_ text: String) throws(Failure) {
        for item in Query(text).items {
            switch item.name {
            case "route": route = item.value
            case "address":
                guard let range = AddressRange(item.value) else {
                    throw Failure(
                        text: "address is an address or a network, such as 192.0.2.1 or 10.0.0.0/8."
                    )
                }
                addresses = range
            case "limit":
                guard let limit = Int(item.value), (1...Self.greatestLimit).contains(limit) else {
                    throw Failure(text: "limit is a number from 1 to \(Self.greatestLimit).")
                }
                self.limit = limit
            default: throw Failure(text: "Only route, address and limit may be asked for.")
            }
        }
    }

    /// On the connection's loop.
    func matches(_ connection: Connection) -> Bool {
        if let route, !connection.routeName.isExactly(escaped(route)) { return false }
        guard let addresses else { return true }
        return addresses.contains(connection.clientAddress)
    }
}
