/// A host of a URL in the form in which hosts are compared: two spellings of one host are equal.
///
/// `EXAMPLE.com.` is `example.com`, `[0:0:0:0:0:0:0:1]` is `[::1]`, and `[::ffff:127.0.0.1]` is
/// `127.0.0.1` (RFC 3986 §6.2.2.1, RFC 4291 §2.2, RFC 9499: a dot at the end ends every full name).
package enum URLHost: Sendable, Hashable {
    /// ASCII in small letters, without a dot at the end.
    case name(String)
    /// The first number of the dotted form is the highest byte.
    case ipv4(UInt32)
    /// Eight groups.
    case ipv6([UInt16])

    /// - Parameter text: as it stands in a URL, or an IPv6 address without its brackets.
    /// - Returns: `nil` if it is empty, not ASCII, or looks like an IPv6 address and is none.
    package init?(_ text: some StringProtocol) {
        var bytes = text.utf8.map(Byte.lowercase)[...]
        guard !bytes.isEmpty, bytes.allSatisfy({ $0 < 0x80 }) else { return nil }
        if bytes.first == UInt8(ascii: "["), bytes.last == UInt8(ascii: "]") {
            bytes = bytes.dropFirst().dropLast()
            guard bytes.contains(Byte.colon) else { return nil }
        }
        if bytes.contains(Byte.colon) {
            // A zone means something on one machine only; browsers send none (RFC 6874).
            guard let groups = Self.groups(ofIPv6: bytes.prefix { $0 != Byte.percent }) else {
                return nil
            }
            self = Self.unmapped(groups)
            return
        }
        if bytes.last == Byte.dot && bytes.count > 1 { bytes = bytes.dropLast() }
        if let number = Self.ipv4(bytes) {
            self = .ipv4(number)
        } else {
            self = .name(String(decoding: bytes, as: UTF8.self))
        }
    }

    /// Whether it leads to the client's own machine: `localhost` and names below it (RFC 6761
    /// §6.3), 127.0.0.0/8 and ::1.
    package var isLoopback: Bool {
        switch self {
        case .name(let name):
            name == "localhost" || name.utf8.reversed().starts(with: ".localhost".utf8.reversed())
        case .ipv4(let number): number >> 24 == 127
        case .ipv6(let groups): groups == [0, 0, 0, 0, 0, 0, 0, 1]
        }
    }

    /// Whether it stands for every address of a machine: 0.0.0.0 and ::.
    package var isUnspecified: Bool {
        switch self {
        case .name: false
        case .ipv4(let number): number == 0
        case .ipv6(let groups): groups.allSatisfy { $0 == 0 }
        }
    }

    /// Whether it is an address and no name.
    package var isAddress: Bool {
        if case .name = self { false } else { true }
    }
}

// MARK: - Addresses

extension URLHost {
    private typealias Bytes = ArraySlice<UInt8>

    /// `127.0.0.1`: four numbers without leading zeros.
    private static func ipv4(_ bytes: Bytes) -> UInt32? {
        let parts = bytes.split(separator: Byte.dot, omittingEmptySubsequences: false)
        guard parts.count == 4 else { return nil }
        var number: UInt32 = 0
        for part in parts {
            guard (1...3).contains(part.count), part.count == 1 || part.first != Byte.zero,
                let value = Byte.number(part), value <= 255
            else { return nil }
            number = number << 8 | UInt32(value)
        }
        return number
    }

    private static func groups(ofIPv6 bytes: Bytes) -> [UInt16]? {
        let gap = bytes.indices.dropLast().first {
            bytes[$0] == Byte.colon && bytes[$0 + 1] == Byte.colon
        }
        guard let gap else {
            let all = groups(bytes)
            return all?.count == 8 ? all : nil
        }
        // RFC 4291 §2.2: "::" stands for one or more groups of zeros, once.
        guard let first = groups(bytes[..<gap]), let last = groups(bytes[(gap + 2)...]),
            first.count + last.count < 8
        else { return nil }
        return first + Array(repeating: 0, count: 8 - first.count - last.count) + last
    }

    /// Groups between colons; the last may be an IPv4 address in place of two.
    private static func groups(_ bytes: Bytes) -> [UInt16]? {
        if bytes.isEmpty { return [] }
        let parts = bytes.split(separator: Byte.colon, omittingEmptySubsequences: false)
        var groups: [UInt16] = []
        for (index, part) in parts.enumerated() {
            if index == parts.count - 1, let number = ipv4(part) {
                groups += [UInt16(number >> 16), UInt16(truncatingIfNeeded: number)]
                continue
            }
            let digits = part.compactMap(Byte.hexValue)
            guard (1...4).contains(part.count), digits.count == part.count else { return nil }
            groups.append(digits.reduce(0) { $0 << 4 | UInt16($1) })
        }
        return groups
    }

    /// RFC 4291 §2.5.5.2: `::ffff:127.0.0.1` is the IPv4 address.
    private static func unmapped(_ groups: [UInt16]) -> URLHost {
        guard groups[..<5].allSatisfy({ $0 == 0 }), groups[5] == 0xFFFF else {
            return .ipv6(groups)
        }
        return .ipv4(UInt32(groups[6]) << 16 | UInt32(groups[7]))
    }
}
