import EventLoop

/// What a proxy sends before anything else on a connection, to say whose it is: version 1, a line
/// of text, or version 2, in binary (HAProxy's "The PROXY protocol").
public enum ProxyHeader: Sendable, Hashable {
    /// The client, and what it connected to.
    case client(SocketAddress, destination: SocketAddress?)
    /// The proxy speaks for itself, as for a health check, or does not know: the addresses of the
    /// connection count.
    case proxyItself
}

/// What is wrong with a header; the connection is closed.
public enum ProxyHeaderError: Error, Sendable, Hashable, CustomStringConvertible {
    case notAHeader
    case malformedLine
    /// Longer than ``ProxyHeader/byteLimit``.
    case tooLong(byteCount: Int)
    case unknownVersion(UInt8)
    case unknownCommand(UInt8)
    case unknownFamily(UInt8)
    /// Version 2: fewer bytes than two addresses take.
    case missingAddresses

    public var description: String {
        switch self {
        case .notAHeader: "does not begin with a header of the PROXY protocol"
        case .malformedLine: "the line of the PROXY protocol has another form"
        case .tooLong(let count):
            "the header of the PROXY protocol has \(count) bytes, more than "
                + "\(ProxyHeader.byteLimit)"
        case .unknownVersion(let version): "unknown version \(version) of the PROXY protocol"
        case .unknownCommand(let command): "unknown command \(command) of the PROXY protocol"
        case .unknownFamily(let family):
            "unknown address family 0x\(String(family, radix: 16)) of the PROXY protocol"
        case .missingAddresses: "the header of the PROXY protocol ends amid its addresses"
        }
    }
}

extension ProxyHeader {
    /// The longest header that is read, in bytes. Two addresses take 52; the others are extensions
    /// (type, length, value), which are skipped.
    public static let byteLimit = 4_096

    /// Reads a header from the first bytes of a connection.
    ///
    /// - Returns: the header and how many bytes it takes; `nil`: it goes on.
    public static func parse(
        _ bytes: UnsafeRawBufferPointer
    ) throws(ProxyHeaderError) -> (header: ProxyHeader, byteCount: Int)? {
        if isStart(bytes, of: signature) { return try parseVersion2(bytes) }
        if isStart(bytes, of: lineStart) { return try parseLine(bytes) }
        throw .notAHeader
    }

    /// Whether the bytes begin like `start`, as far as both go.
    private static func isStart(_ bytes: UnsafeRawBufferPointer, of start: [UInt8]) -> Bool {
        zip(bytes, start).allSatisfy { $0 == $1 }
    }

    // MARK: - Version 1

    private static let lineStart = Array("PROXY ".utf8)
    /// With its CR LF.
    private static let lineByteLimit = 107

    /// `PROXY TCP4 192.0.2.1 198.51.100.1 56324 443` CR LF, or `PROXY UNKNOWN` and anything.
    private static func parseLine(
        _ bytes: UnsafeRawBufferPointer
    ) throws(ProxyHeaderError) -> (header: ProxyHeader, byteCount: Int)? {
        let head = bytes.prefix(lineByteLimit)
        guard let end = head.firstIndex(of: UInt8(ascii: "\n")) else {
            if bytes.count >= lineByteLimit { throw .malformedLine }
            return nil
        }
        guard end > 0, bytes[end - 1] == UInt8(ascii: "\r"),
            let line = String(validating: bytes[..<(end - 1)], as: UTF8.self)
        else { throw .malformedLine }
        let words = line.split(separator: " ", omittingEmptySubsequences: false)
        if words.count > 1 && words[1] == "UNKNOWN" { return (.proxyItself, end + 1) }
        guard words.count == 6, words[1] == "TCP4" || words[1] == "TCP6",
            let source = address(words[2], words[4], of: words[1]),
            let destination = address(words[3], words[5], of: words[1])
        else { throw .malformedLine }
        return (.client(source, destination: destination), end + 1)
    }

    private static func address(
        _ number: Substring, _ port: Substring, of family: Substring
    ) -> SocketAddress? {
        // "No leading zeroes".
        guard port.utf8.isDecimal, !port.hasPrefix("0") || port == "0", let port = UInt16(port),
            let address = SocketAddress(number: String(number), port: port),
            (address.family == .ipv4) == (family == "TCP4")
        else { return nil }
        return address
    }

    // MARK: - Version 2

    private static let signature: [UInt8] = [
        0x0D, 0x0A, 0x0D, 0x0A, 0x00, 0x0D, 0x0A, 0x51, 0x55, 0x49, 0x54, 0x0A,
    ]
    /// Signature, version and command, family and transport, length of the rest.
    private static let fixedByteCount = 16

    private static func parseVersion2(
        _ bytes: UnsafeRawBufferPointer
    ) throws(ProxyHeaderError) -> (header: ProxyHeader, byteCount: Int)? {
        guard bytes.count >= fixedByteCount else { return nil }
        let (version, command) = (bytes[12] >> 4, bytes[12] & 0xF)
        guard version == 2 else { throw .unknownVersion(version) }
        guard command <= 1 else { throw .unknownCommand(command) }
        let byteCount = fixedByteCount + (Int(bytes[14]) << 8 | Int(bytes[15]))
        guard byteCount <= byteLimit else { throw .tooLong(byteCount: byteCount) }
        guard bytes.count >= byteCount else { return nil }
        if command == 0 { return (.proxyItself, byteCount) }
        let rest = bytes[fixedByteCount..<byteCount]
        switch bytes[13] {
        case 0x00: return (.proxyItself, byteCount)
        case 0x11: return (try addresses(rest, byteCount: 4), byteCount)
        case 0x21: return (try addresses(rest, byteCount: 16), byteCount)
        case 0x31:
            // Paths on the proxy's machine, 108 bytes each: nobody here can use them.
            guard rest.count >= 216 else { throw .missingAddresses }
            return (.client(.unnamed, destination: nil), byteCount)
        case let family: throw .unknownFamily(family)
        }
    }

    /// Two addresses, then two ports.
    ///
    /// - Parameter byteCount: of an address.
    private static func addresses(
        _ bytes: Slice<UnsafeRawBufferPointer>, byteCount: Int
    ) throws(ProxyHeaderError) -> ProxyHeader {
        func address(_ index: Int) -> SocketAddress? {
            let number = bytes.dropFirst(index * byteCount).prefix(byteCount)
            let port = bytes.dropFirst(2 * byteCount + 2 * index).prefix(2)
            guard port.count == 2 else { return nil }
            return SocketAddress(
                bytes: number, port: port.reduce(0) { $0 << 8 | UInt16($1) })
        }
        guard let source = address(0), let destination = address(1) else {
            throw .missingAddresses
        }
        return .client(source, destination: destination)
    }
}
