import Glibc

// Addresses as numbers, for those that compare them, and from texts without a resolver.

extension SocketAddress {
    /// Reads an IPv4 address of four decimal numbers or an IPv6 address without brackets and zone
    /// (RFC 4291 §2.2); `nil` for anything else. No name is resolved.
    public init?(number text: String, port: UInt16) {
        var storage = sockaddr_storage()
        let byteCount = withUnsafeMutableBytes(of: &storage) { raw -> Int in
            var ipv4 = in_addr()
            if inet_pton(AF_INET, text, &ipv4) == 1 {
                var address = sockaddr_in()
                address.sin_family = sa_family_t(AF_INET)
                address.sin_port = port.bigEndian
                address.sin_addr = ipv4
                raw.storeBytes(of: address, as: sockaddr_in.self)
                return MemoryLayout<sockaddr_in>.size
            }
            var ipv6 = in6_addr()
            guard inet_pton(AF_INET6, text, &ipv6) == 1 else { return 0 }
            var address = sockaddr_in6()
            address.sin6_family = sa_family_t(AF_INET6)
            address.sin6_port = port.bigEndian
            address.sin6_addr = ipv6
            raw.storeBytes(of: address, as: sockaddr_in6.self)
            return MemoryLayout<sockaddr_in6>.size
        }
        // A C function reads a text up to its first NUL.
        guard byteCount > 0, !text.utf8.contains(0) else { return nil }
        self.init(storage, byteCount: byteCount)
    }

    /// - Parameter bytes: 4 or 16 of them, in network order.
    public init?(bytes: some Collection<UInt8>, port: UInt16) {
        switch bytes.count {
        case 4: self.init(number: bytes.map(String.init).joined(separator: "."), port: port)
        case 16:
            let groups = stride(from: 0, to: 16, by: 2).map { offset in
                bytes.dropFirst(offset).prefix(2).reduce(UInt16(0)) { $0 << 8 | UInt16($1) }
            }
            self.init(
                number: groups.map { String($0, radix: 16) }.joined(separator: ":"), port: port)
        default: return nil
        }
    }

    /// The address in network order: 4 bytes, or 16; none for a Unix-domain socket. An IPv4 address
    /// in the form of an IPv6 one (RFC 4291 §2.5.5.2) is an IPv4 address.
    public var bytes: [UInt8] {
        withSockaddr { address, byteCount in
            let raw = UnsafeRawBufferPointer(start: address, count: Int(byteCount))
            switch family {
            case .ipv4: return Array(raw[4..<8])
            case .ipv6:
                let bytes = Array(raw[8..<24])
                let isMapped =
                    bytes[..<10].allSatisfy { $0 == 0 } && bytes[10] == 0xFF && bytes[11] == 0xFF
                return isMapped ? Array(bytes[12...]) : bytes
            case .unix: return []
            }
        }
    }
}
