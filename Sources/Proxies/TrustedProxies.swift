import EventLoop

/// The proxies whose word about clients is taken: by their addresses, or all that come through a
/// Unix-domain socket.
public struct TrustedProxies: Sendable, Hashable {
    public var ranges: [AddressRange]
    /// Whether a peer on a Unix-domain socket is trusted: the rights of its file say who that is.
    public var includesUnix: Bool

    /// None, unless given.
    public init(ranges: [AddressRange] = [], includesUnix: Bool = false) {
        self.ranges = ranges
        self.includesUnix = includesUnix
    }

    public var isEmpty: Bool { ranges.isEmpty && !includesUnix }

    public func contain(_ address: SocketAddress) -> Bool {
        address.family == .unix ? includesUnix : ranges.contains { $0.contains(address) }
    }
}
