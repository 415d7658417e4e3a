import Glibc

extension SocketAddress {
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
                if let address = SocketAddress(storage, byteCount: byteCount)?.with(port: port),
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
