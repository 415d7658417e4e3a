import EventLoop

/// Addresses that begin with the same bits: `10.0.0.0/8`, `2001:db8::/32`, or one address (RFC 4632
/// §3.1, RFC 4291 §2.3).
public struct AddressRange: Sendable, Hashable, CustomStringConvertible {
    /// 4 or 16, in network order; those behind the prefix are 0.
    private let bytes: [UInt8]
    private let prefixBitCount: Int

    /// - Returns: `nil` for anything else, also for bits behind the prefix that are not 0, which
    ///   are a typing error more often than meant.
    public init?(_ text: some StringProtocol) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard let first = parts.first, parts.count <= 2,
            let address = SocketAddress(number: String(first), port: 0)
        else { return nil }
        // Not of 10.0.0.0 in the form of IPv6, where a prefix would count other bits.
        let isMapped = address.family == .ipv6 && address.bytes.count == 4
        bytes = address.bytes
        guard parts.count == 2 else {
            prefixBitCount = bytes.count * 8
            return
        }
        guard !isMapped, parts[1].utf8.isDecimal, let count = Int(parts[1]),
            count <= bytes.count * 8
        else { return nil }
        prefixBitCount = count
        guard Self.masked(bytes, count) == bytes else { return nil }
    }

    public func contains(_ address: SocketAddress) -> Bool {
        let other = address.bytes
        return other.count == bytes.count && Self.masked(other, prefixBitCount) == bytes
    }

    /// The bytes with all bits behind the prefix 0.
    private static func masked(_ bytes: [UInt8], _ bitCount: Int) -> [UInt8] {
        bytes.enumerated().map { index, byte in
            let kept = min(max(bitCount - 8 * index, 0), 8)
            return byte & UInt8(truncatingIfNeeded: 0xFF00 >> kept)
        }
    }

    public var description: String {
        "\(SocketAddress(bytes: bytes, port: 0)?.host ?? "")/\(prefixBitCount)"
    }
}

extension Collection<UInt8> {
    /// Whether it is one to five decimal digits, and nothing else: a number type reads signs too.
    var isDecimal: Bool {
        (1...5).contains(count)
            && allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
    }
}
