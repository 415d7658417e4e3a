import Glibc

/// Where a stream socket is: an IPv4 or IPv6 address with a port, or the path of a Unix-domain
/// socket.
public struct SocketAddress: Sendable, Hashable, CustomStringConvertible {
    public enum Family: Sendable, Hashable {
        case ipv4, ipv6, unix

        var domain: Int32 {
            switch self {
            case .ipv4: AF_INET
            case .ipv6: AF_INET6
            case .unix: AF_UNIX
            }
        }
    }

    private let place: Place

    private enum Place: Sendable, Hashable {
        case ipv4(IPv4, port: UInt16)
        case ipv6(IPv6, scopeID: UInt32, port: UInt16)
        /// Empty: a socket without a name, as clients have.
        case unix(path: String)
    }

    /// Bytes in network order.
    private typealias IPv4 = UInt32
    /// As two numbers, whose alignment keeps the address short: a connection has three.
    private struct IPv6: Sendable, Hashable { let first, second: UInt64 }

    private init(_ place: Place) { self.place = place }

    /// The address of a Unix-domain socket.
    ///
    /// - Throws: `ENAMETOOLONG` beyond 107 bytes, `EINVAL` for a path that is empty or has control
    ///   characters.
    public init(path: String) throws(SystemError) {
        guard path.utf8.count <= Self.pathByteLimit else {
            throw SystemError("socket path '\(path)'", code: ENAMETOOLONG)
        }
        guard Self.isPath(path.utf8) else {
            throw SystemError("socket path", code: EINVAL)
        }
        place = .unix(path: path)
    }

    /// That of a Unix-domain socket without a name, such as one of a pair.
    package static let unnamed = SocketAddress(.unix(path: ""))

    /// What `sun_path` holds with a NUL behind it.
    package static let pathByteLimit = 107

    /// A path ends up in lines of logs, and one of a peer's comes from outside.
    private static func isPath(_ bytes: some Collection<UInt8>) -> Bool {
        !bytes.isEmpty && bytes.allSatisfy { $0 >= 0x20 && $0 != 0x7F }
    }

    public func with(port: UInt16) -> SocketAddress {
        switch place {
        case .ipv4(let bytes, _): SocketAddress(.ipv4(bytes, port: port))
        case .ipv6(let bytes, let scopeID, _):
            SocketAddress(.ipv6(bytes, scopeID: scopeID, port: port))
        case .unix: self
        }
    }

    public var family: Family {
        switch place {
        case .ipv4: .ipv4
        case .ipv6: .ipv6
        case .unix: .unix
        }
    }

    /// 0 for a Unix-domain socket.
    public var port: UInt16 {
        switch place {
        case .ipv4(_, let port), .ipv6(_, _, let port): port
        case .unix: 0
        }
    }

    /// Whether only this machine can reach it: 127.0.0.0/8, ::1 and Unix-domain sockets.
    public var isLoopback: Bool {
        switch place {
        case .ipv4(let bytes, _): UInt32(bigEndian: bytes) >> 24 == 127
        case .ipv6(let bytes, _, _): bytes == IPv6(first: 0, second: UInt64(1).bigEndian)
        case .unix: true
        }
    }

    /// Whether it stands for every address of this machine: 0.0.0.0 and ::.
    var isUnspecified: Bool {
        switch place {
        case .ipv4(let bytes, _): bytes == 0
        case .ipv6(let bytes, _, _): bytes == IPv6(first: 0, second: 0)
        case .unix: false
        }
    }
}

// MARK: - The kernel's form

extension SocketAddress {
    /// Reads what the kernel wrote; `nil` for other families. A Unix-domain name that is no path,
    /// or has control characters, is read as none.
    init?(_ storage: sockaddr_storage, byteCount: Int) {
        var storage = storage
        switch Int32(storage.ss_family) {
        case AF_INET:
            let address = withUnsafeBytes(of: &storage) { $0.load(as: sockaddr_in.self) }
            place = .ipv4(address.sin_addr.s_addr, port: UInt16(bigEndian: address.sin_port))
        case AF_INET6:
            let address = withUnsafeBytes(of: &storage) { $0.load(as: sockaddr_in6.self) }
            place = .ipv6(
                withUnsafeBytes(of: address.sin6_addr) { $0.loadUnaligned(as: IPv6.self) },
                scopeID: address.sin6_scope_id, port: UInt16(bigEndian: address.sin6_port))
        case AF_UNIX:
            let path = withUnsafeBytes(of: &storage) { raw in
                let name = raw.prefix(max(0, byteCount)).dropFirst(Self.pathOffset)
                let bytes = name.prefix { $0 != 0 }
                return Self.isPath(bytes) ? String(validating: bytes, as: UTF8.self) : nil
            }
            place = .unix(path: path ?? "")
        default:
            return nil
        }
    }

    private static let pathOffset = MemoryLayout<sa_family_t>.size

    func withSockaddr<Result>(_ body: (UnsafePointer<sockaddr>, socklen_t) -> Result) -> Result {
        var storage = sockaddr_storage()
        let byteCount = withUnsafeMutableBytes(of: &storage) { fill($0) }
        return withUnsafePointer(to: &storage) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { body($0, socklen_t(byteCount)) }
        }
    }

    /// - Parameter raw: a `sockaddr_storage` of zeros.
    /// - Returns: how much of it is used.
    private func fill(_ raw: UnsafeMutableRawBufferPointer) -> Int {
        switch place {
        case .ipv4(let bytes, let port):
            var address = sockaddr_in()
            address.sin_family = sa_family_t(AF_INET)
            address.sin_port = port.bigEndian
            address.sin_addr.s_addr = bytes
            raw.storeBytes(of: address, as: sockaddr_in.self)
            return MemoryLayout<sockaddr_in>.size
        case .ipv6(let bytes, let scopeID, let port):
            var address = sockaddr_in6()
            address.sin6_family = sa_family_t(AF_INET6)
            address.sin6_port = port.bigEndian
            address.sin6_scope_id = scopeID
            withUnsafeMutableBytes(of: &address.sin6_addr) {
                $0.storeBytes(of: bytes, as: IPv6.self)
            }
            raw.storeBytes(of: address, as: sockaddr_in6.self)
            return MemoryLayout<sockaddr_in6>.size
        case .unix(let path):
            raw.storeBytes(of: sa_family_t(AF_UNIX), as: sa_family_t.self)
            raw[Self.pathOffset...].copyBytes(from: path.utf8)
            return Self.pathOffset + path.utf8.count + 1
        }
    }
}

// MARK: - Zones

extension SocketAddress {
    /// The same IPv6 address in a zone, named by an interface or its number (RFC 4007 §11). Other
    /// addresses have no zone and stay as they are.
    package func inZone(_ name: String) throws(ResolveError) -> SocketAddress {
        guard case .ipv6(let bytes, _, let port) = place else { return self }
        let index = if_nametoindex(name)
        guard let scopeID = index > 0 ? index : UInt32(name) else {
            throw ResolveError(host: "\(host)%\(name)", reason: "no such network interface")
        }
        return SocketAddress(.ipv6(bytes, scopeID: scopeID, port: port))
    }
}

// MARK: - Text

extension SocketAddress {
    /// The address without the port: `127.0.0.1`, `::1`, `/run/server.sock`.
    public var host: String {
        switch place {
        case .ipv4:
            String(unsafeUninitializedCapacity: Self.textByteLimit) { buffer in
                buffer.baseAddress.map {
                    writeDottedDecimal(to: UnsafeMutableRawPointer($0), port: nil)
                } ?? 0
            }
        case .ipv6(let bytes, _, _): Self.colonHexadecimal(bytes)
        case .unix(let path): path
        }
    }

    /// The address and port as in a URL, `127.0.0.1:80`, `[::1]:80`; or `unix:/run/server.sock`.
    /// Without port 0, which stands for none.
    public var description: String {
        let portText = port == 0 ? "" : ":\(port)"
        return switch family {
        case .ipv4: host + portText
        case .ipv6: "[\(host)]" + portText
        case .unix: "unix:\(host)"
        }
    }

    /// How long ``description`` is at most, in bytes.
    package static var textByteLimit: Int { "unix:".utf8.count + pathByteLimit }

    /// Writes ``description`` without a text in between: two lines of the log have it for each
    /// connection.
    ///
    /// - Parameter text: at least ``textByteLimit``.
    /// - Returns: the count of bytes written.
    package func write(to text: UnsafeMutableRawBufferPointer) -> Int {
        if case .ipv4(_, let port) = place, text.count >= Self.textByteLimit,
            let start = text.baseAddress
        {
            return writeDottedDecimal(to: start, port: port)
        }
        let description = description
        text.copyBytes(from: description.utf8)
        return description.utf8.count
    }

    /// - Parameter text: at least ``textByteLimit``, which this stays below.
    /// - Returns: the count of bytes written; 0 for other families.
    private func writeDottedDecimal(to text: UnsafeMutableRawPointer, port: UInt16?) -> Int {
        guard case .ipv4(let bytes, _) = place else { return 0 }
        var count = 0
        func put(_ separator: Unicode.Scalar) {
            text.storeBytes(of: UInt8(ascii: separator), toByteOffset: count, as: UInt8.self)
            count &+= 1
        }
        let number = UInt32(bigEndian: bytes)
        for index in 0..<4 as Range<UInt32> {
            if index > 0 { put(".") }
            count &+= (text + count).storeDigits(of: UInt(number >> (24 - 8 * index) & 0xFF))
        }
        if let port, port != 0 {
            put(":")
            count &+= (text + count).storeDigits(of: UInt(port))
        }
        return count
    }

    private static func colonHexadecimal(_ bytes: IPv6) -> String {
        var text = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN) + 1)
        _ = withUnsafeBytes(of: bytes) {
            inet_ntop(AF_INET6, $0.baseAddress, &text, socklen_t(text.count))
        }
        return String(decoding: text.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
    }
}
