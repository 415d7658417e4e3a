import EventLoop

/// Whom a limit counts as one client: an IPv4 address, or the network of an IPv6 address, which its
/// owner has all addresses of.
package struct ClientAddress: Sendable, Hashable {
    /// Bits of an IPv6 address that count: the rest is chosen by each host (RFC 4291 §2.5.1).
    package static let ipv6PrefixBitCount = 64

    /// The first half of an IPv6 address. An IPv4 address has a place among them that no IPv6
    /// address is in: all below `0000::/8` are reserved (RFC 4291 §2.4).
    let number: UInt64

    /// - Returns: `nil` for a Unix-domain socket: all its peers would be one.
    package init?(_ address: SocketAddress) {
        let bytes = address.bytes
        switch bytes.count {
        case 4: number = Self.number(ofIPv4: bytes[...])
        case 16:
            number =
                bytes.starts(with: Self.translatedPrefix)
                ? Self.number(ofIPv4: bytes[12...]) : Self.number(bytes[..<8])
        default: return nil
        }
    }

    /// `64:ff9b::/96`: IPv4 addresses behind a translator (RFC 6052 §2.1).
    private static let translatedPrefix: [UInt8] = [0, 0x64, 0xFF, 0x9B, 0, 0, 0, 0, 0, 0, 0, 0]

    private static func number(ofIPv4 bytes: ArraySlice<UInt8>) -> UInt64 {
        0x0000_FFFF << 32 | number(bytes)
    }

    private static func number(_ bytes: ArraySlice<UInt8>) -> UInt64 {
        bytes.reduce(0) { $0 << 8 | UInt64($1) }
    }
}
