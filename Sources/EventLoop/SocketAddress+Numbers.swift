import Glibc

// Addresses as numbers, for those that compare them, and from texts without a resolver.

extension SocketAddress {
    /// Reads an IPv4 address of four decimal numbers or an IPv6 address without brackets and zone
    /// (RFC 4291 §2.2); `nil` for anything else. No name is resolved.
    public init?(number text: String, port: UInt16) {
        // A C function reads a text up to its first NUL.
        if text.utf8.contains(0) { return nil }
        for (family, byteCount) in [(AF_INET, 4), (AF_INET6, 16)] {
            var bytes = [UInt8](repeating: 0, count: byteCount)
            guard inet_pton(family, text, &bytes) == 1 else { continue }
            self.init(bytes: bytes, port: port)
            return
        }
        return nil
    }

    /// - Parameter bytes: 4 or 16 of them, in network order.
    public init?(bytes: some Collection<UInt8>, port: UInt16) {
        let isIPv4 = bytes.count == 4
        guard isIPv4 || bytes.count == 16 else { return nil }
        var storage = sockaddr_storage()
        storage.ss_family = sa_family_t(isIPv4 ? AF_INET : AF_INET6)
        withUnsafeMutableBytes(of: &storage) { raw in
            raw.storeBytes(of: port.bigEndian, toByteOffset: Self.portOffset, as: UInt16.self)
            raw[(isIPv4 ? Self.ipv4Offset : Self.ipv6Offset)...].copyBytes(from: bytes)
        }
        self.init(storage, byteCount: MemoryLayout<sockaddr_storage>.size)
    }

    // Where the kernel's form of both has them, `sockaddr_in` and `sockaddr_in6`: ip(7), ipv6(7).
    private static let portOffset = 2
    private static let ipv4Offset = 4
    private static let ipv6Offset = 8

    /// The address in network order: 4 bytes, or 16; none for a Unix-domain socket. An IPv4 address
    /// in the form of an IPv6 one (RFC 4291 §2.5.5.2) is an IPv4 address.
    public var bytes: [UInt8] {
        withSockaddr { address, byteCount in
            let raw = UnsafeRawBufferPointer(start: address, count: Int(byteCount))
            switch family {
            case .ipv4: return Array(raw[Self.ipv4Offset..<Self.ipv4Offset + 4])
            case .ipv6:
                let bytes = Array(raw[Self.ipv6Offset..<Self.ipv6Offset + 16])
                let isMapped =
                    bytes[..<10].allSatisfy { $0 == 0 } && bytes[10] == 0xFF && bytes[11] == 0xFF
                return isMapped ? Array(bytes[12...]) : bytes
            case .unix: return []
            }
        }
    }
}
