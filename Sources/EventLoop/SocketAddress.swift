import CLinux
import Glibc

/// An IPv4 or IPv6 address with a port.
public struct SocketAddress: Sendable, Hashable, CustomStringConvertible {
    public enum Family: Sendable, Hashable { case ipv4, ipv6 }

    /// ``bytes``, which as they are would make an address twice as long: their alignment is 16, and
    /// a connection keeps three addresses.
    private let halves: Halves
    private let scopeID: UInt32
    public let port: UInt16
    public let family: Family

    private struct Halves: Sendable, Hashable { let first, second: UInt64 }

    /// Network order; IPv4 uses the first four.
    private var bytes: SIMD16<UInt8> { unsafeBitCast(halves, to: SIMD16<UInt8>.self) }

    /// Reads what the kernel wrote; `nil` for other families.
    init?(_ storage: sockaddr_storage) {
        var storage = storage
        switch Int32(storage.ss_family) {
        case AF_INET:
            let address = withUnsafeBytes(of: &storage) { $0.load(as: sockaddr_in.self) }
            family = .ipv4
            port = UInt16(bigEndian: address.sin_port)
            var bytes = SIMD16<UInt8>()
            withUnsafeBytes(of: address.sin_addr) { raw in
                for index in 0..<4 { bytes[index] = raw[index] }
            }
            halves = unsafeBitCast(bytes, to: Halves.self)
            scopeID = 0
        case AF_INET6:
            let address = withUnsafeBytes(of: &storage) { $0.load(as: sockaddr_in6.self) }
            family = .ipv6
            port = UInt16(bigEndian: address.sin6_port)
            halves = withUnsafeBytes(of: address.sin6_addr) { $0.loadUnaligned(as: Halves.self) }
            scopeID = address.sin6_scope_id
        default:
            return nil
        }
    }

    private init(_ other: SocketAddress, port: UInt16) {
        family = other.family
        halves = other.halves
        scopeID = other.scopeID
        self.port = port
    }

    public func with(port: UInt16) -> SocketAddress { SocketAddress(self, port: port) }

    /// The address alone: `127.0.0.1`, `::1`.
    public var host: String {
        family == .ipv4 ? dottedDecimal : colonHexadecimal
    }

    private var dottedDecimal: String {
        String(unsafeUninitializedCapacity: Self.textByteLimit) { buffer in
            buffer.baseAddress.map {
                writeDottedDecimal(to: UnsafeMutableRawPointer($0), port: nil)
            } ?? 0
        }
    }

    /// - Parameter text: at least ``textByteLimit``, which this stays below.
    /// - Returns: the count of bytes written.
    private func writeDottedDecimal(to text: UnsafeMutableRawPointer, port: UInt16?) -> Int {
        var count = 0
        func put(_ separator: Unicode.Scalar) {
            text.storeBytes(of: UInt8(ascii: separator), toByteOffset: count, as: UInt8.self)
            count &+= 1
        }
        for index in 0..<4 {
            if index > 0 { put(".") }
            count &+= (text + count).storeDigits(of: UInt(bytes[index]))
        }
        if let port {
            put(":")
            count &+= (text + count).storeDigits(of: UInt(port))
        }
        return count
    }

    private var colonHexadecimal: String {
        var text = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN) + 1)
        _ = withUnsafeBytes(of: bytes) {
            inet_ntop(AF_INET6, $0.baseAddress, &text, socklen_t(text.count))
        }
        return String(decoding: text.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
    }

    /// The address and port as in a URL: `127.0.0.1:80`, `[::1]:80`.
    public var description: String { family == .ipv4 ? "\(host):\(port)" : "[\(host)]:\(port)" }

    /// How long ``description`` is at most, in bytes.
    package static var textByteLimit: Int { Int(INET6_ADDRSTRLEN) + "[]:65535".utf8.count }

    /// Writes ``description`` without a text in between: two lines of the log have it for each
    /// connection.
    ///
    /// - Parameter text: at least ``textByteLimit``.
    /// - Returns: the count of bytes written.
    package func write(to text: UnsafeMutableRawBufferPointer) -> Int {
        if family == .ipv4, text.count >= Self.textByteLimit, let start = text.baseAddress {
            return writeDottedDecimal(to: start, port: port)
        }
        let description = description
        text.copyBytes(from: description.utf8)
        return description.utf8.count
    }

    /// Whether only this machine can reach it: 127.0.0.0/8 and ::1.
    public var isLoopback: Bool {
        family == .ipv4
            ? bytes[0] == 127
            : (0..<15).allSatisfy { bytes[$0] == 0 } && bytes[15] == 1
    }

    /// Whether it stands for every address of this machine: 0.0.0.0 and ::.
    var isUnspecified: Bool { bytes == SIMD16() }

    func withSockaddr<Result>(_ body: (UnsafePointer<sockaddr>, socklen_t) -> Result) -> Result {
        var storage = sockaddr_storage()
        let byteCount: Int
        switch family {
        case .ipv4:
            var address = sockaddr_in()
            address.sin_family = sa_family_t(AF_INET)
            address.sin_port = port.bigEndian
            withUnsafeMutableBytes(of: &address.sin_addr) { raw in
                for index in 0..<4 { raw[index] = bytes[index] }
            }
            withUnsafeMutableBytes(of: &storage) {
                $0.storeBytes(of: address, as: sockaddr_in.self)
            }
            byteCount = MemoryLayout<sockaddr_in>.size
        case .ipv6:
            var address = sockaddr_in6()
            address.sin6_family = sa_family_t(AF_INET6)
            address.sin6_port = port.bigEndian
            address.sin6_scope_id = scopeID
            withUnsafeMutableBytes(of: &address.sin6_addr) {
                $0.storeBytes(of: bytes, as: SIMD16<UInt8>.self)
            }
            withUnsafeMutableBytes(of: &storage) {
                $0.storeBytes(of: address, as: sockaddr_in6.self)
            }
            byteCount = MemoryLayout<sockaddr_in6>.size
        }
        return withUnsafePointer(to: &storage) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { body($0, socklen_t(byteCount)) }
        }
    }

    /// The addresses that a host name stands for.
    ///
    /// - Parameter host: a name or address; `localhost` is both loopback addresses whatever the
    ///   resolver says; `*` or an empty string is every address of this machine.
    /// - Throws: what the resolver said, in words.
    public static func resolve(
        host: String, port: UInt16
    ) throws(ResolveError) -> [SocketAddress] {
        switch host {
        case "localhost": return try resolve(["127.0.0.1", "::1"], port)
        case "*", "": return try resolve(["0.0.0.0", "::"], port)
        default:
            let bare = host.hasPrefix("[") && host.hasSuffix("]")
            return try resolve([bare ? String(host.dropFirst().dropLast()) : host], port)
        }
    }

    /// ``resolve(host:port:)`` on a thread of its own: a resolver may take its time.
    public static func resolve(
        waitingFor host: String, port: UInt16
    ) async throws(ResolveError) -> [SocketAddress] {
        var thread: LoopThread?
        let result = await withUnsafeContinuation { continuation in
            thread = try? LoopThread {
                continuation.resume(
                    returning: Result { () throws(ResolveError) in
                        try resolve(host: host, port: port)
                    })
            }
            if thread == nil {
                let error = ResolveError(host: host, reason: "no thread to ask the resolver on")
                continuation.resume(returning: Result<[SocketAddress], ResolveError>.failure(error))
            }
        }
        thread?.join()
        return try result.get()
    }

    private static func resolve(
        _ hosts: [String], _ port: UInt16
    ) throws(ResolveError) -> [SocketAddress] {
        var addresses: [SocketAddress] = []
        for host in hosts {
            var hints = addrinfo()
            hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
            hints.ai_flags = AI_PASSIVE
            var list: UnsafeMutablePointer<addrinfo>?
            let code = getaddrinfo(host, nil, &hints, &list)
            guard code == 0 else {
                throw ResolveError(host: host, reason: String(cString: gai_strerror(code)))
            }
            defer { freeaddrinfo(list) }
            var entry = list
            while let info = entry?.pointee {
                var storage = sockaddr_storage()
                let byteCount = min(Int(info.ai_addrlen), MemoryLayout<sockaddr_storage>.size)
                if let source = info.ai_addr {
                    withUnsafeMutableBytes(of: &storage) {
                        $0.copyMemory(from: .init(start: source, count: byteCount))
                    }
                }
                if let address = SocketAddress(storage)?.with(port: port),
                    !addresses.contains(address)
                {
                    addresses.append(address)
                }
                entry = info.ai_next
            }
        }
        return addresses
    }
}

/// A host name that stands for no address.
public struct ResolveError: Error, Sendable, Hashable, CustomStringConvertible {
    public let host: String
    public let reason: String
    public var description: String { "unknown host '\(host)': \(reason)" }
}
