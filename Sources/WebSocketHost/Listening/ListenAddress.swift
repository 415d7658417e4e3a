import EventLoop

/// Where a server listens, as people write it: `localhost:9998`, `127.0.0.1:9998`, `[::1]:9998`,
/// `*:9998`, `unix:/run/server.sock`, `unix:/run/server.sock,mode=0660`.
public enum ListenAddress: Sendable, Hashable, CustomStringConvertible {
    /// - Parameters:
    ///   - host: a name, an address, or `*` for every address; `localhost` is 127.0.0.1 and ::1.
    ///   - port: 0: any free one.
    case internet(host: String, port: UInt16)
    /// A Unix-domain socket.
    ///
    /// - Parameters:
    ///   - path: of its file, at most 107 bytes.
    ///   - mode: the rights of the file; who may write to it may connect. `nil`: all that the
    ///     umask leaves, which is mostly the owner's alone to write.
    case unix(path: String, mode: UInt32?)

    /// The host by which a browser asks for it; `nil`: it has none.
    package var host: String? {
        if case .internet(let host, _) = self { host } else { nil }
    }

    /// 0 for a Unix-domain socket.
    package var port: UInt16 {
        if case .internet(_, let port) = self { port } else { 0 }
    }

    package var isUnix: Bool { host == nil }

    /// Without the mode.
    public var description: String {
        switch self {
        case .internet(let host, let port):
            host.contains(":") && !host.hasPrefix("[") ? "[\(host)]:\(port)" : "\(host):\(port)"
        case .unix(let path, _): Self.unixPrefix + path
        }
    }
}

// MARK: - From text

extension ListenAddress {
    /// - Throws: what is wrong, and how to write it.
    public static func parse(_ text: String) throws(ListenAddressError) -> ListenAddress {
        let (address, words) = try parseWords(text)
        if let word = words.first { throw ListenAddressError(text, unknown: word) }
        return address
    }

    /// - Returns: the address, and the words behind it that are not about it.
    static func parseWords(
        _ text: String
    ) throws(ListenAddressError) -> (ListenAddress, words: [String]) {
        var words = text.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
        let place = words.removeFirst()
        if place.hasPrefix(unixPrefix) {
            return try unix(String(place.dropFirst(unixPrefix.count)), words, text)
        }
        return (try internet(place, text), words)
    }

    package static let unixPrefix = "unix:"

    private static func unix(
        _ path: String, _ words: [String], _ text: String
    ) throws(ListenAddressError) -> (ListenAddress, words: [String]) {
        if path.isEmpty { throw ListenAddressError(text, "the path is missing: unix:/run/x.sock") }
        if path.hasPrefix("@") {
            throw ListenAddressError(
                text, "abstract names (@) have no rights; write a path (./@x is a file)"
            )
        }
        do throws(SystemError) {
            _ = try SocketAddress(path: path)
        } catch {
            throw ListenAddressError(
                text,
                path.utf8.count > SocketAddress.pathByteLimit
                    ? "the path has \(path.utf8.count) bytes, and at most "
                        + "\(SocketAddress.pathByteLimit) are possible; give a shorter one, or one "
                        + "relative to the current directory"
                    : "the path has control characters")
        }
        var mode: UInt32?
        var rest: [String] = []
        for word in words {
            guard word.hasPrefix("mode=") else {
                rest.append(word)
                continue
            }
            if mode != nil { throw ListenAddressError(text, "mode= is there twice") }
            mode = try fileMode(word.dropFirst("mode=".count), text)
        }
        return (.unix(path: path, mode: mode), rest)
    }

    private static func fileMode(
        _ digits: Substring, _ text: String
    ) throws(ListenAddressError) -> UInt32 {
        guard 3...4 ~= digits.utf8.count, digits.utf8.allSatisfy({ 0x30...0x37 ~= $0 }),
            let mode = UInt32(digits, radix: 8), mode <= 0o777
        else {
            throw ListenAddressError(
                text, "'\(digits)' is no mode: three octal digits such as 660, or four from 0")
        }
        return mode
    }

    private static func internet(
        _ place: String, _ text: String
    ) throws(ListenAddressError) -> ListenAddress {
        guard let colon = place.utf8.lastIndex(of: UInt8(ascii: ":")) else {
            throw ListenAddressError(
                text,
                Int(place) == nil
                    ? "the port is missing: \(place.isEmpty ? "localhost" : place):9998"
                    : "the host is missing: localhost:\(place), or *:\(place) for every address")
        }
        let host = String(place[..<colon])
        let digits = place[place.utf8.index(after: colon)...]
        if host.isEmpty {
            throw ListenAddressError(
                text, "the host is missing: localhost:\(digits), or *:\(digits) for every address")
        }
        let isBracketed = host.hasPrefix("[") && host.hasSuffix("]") && host.utf8.count > 2
        if !isBracketed, host.contains(":") {
            throw ListenAddressError(text, "an IPv6 address has brackets: [::1]:9998")
        }
        if host == "[]" || host.hasPrefix("[") != host.hasSuffix("]")
            || host.utf8.contains(where: { $0 <= 0x20 })
        {
            throw ListenAddressError(text, "'\(host)' is neither a name nor an address")
        }
        guard digits.utf8.allSatisfy({ 0x30...0x39 ~= $0 }), let port = UInt16(digits) else {
            throw ListenAddressError(text, "'\(digits)' is no port from 0 (any free one) to 65535")
        }
        return .internet(host: host, port: port)
    }
}

/// Why a text is no ``ListenAddress``.
public struct ListenAddressError: Error, Sendable, Hashable, CustomStringConvertible {
    /// As it was given.
    public let text: String
    /// What is wrong with it, in words. It may have parts of the text.
    public let reason: String

    init(_ text: String, _ reason: String) {
        self.text = text
        self.reason = reason
    }

    init(_ text: String, unknown word: String) {
        self.init(
            text,
            word.hasPrefix("mode=")
                ? "mode= is for Unix-domain sockets"
                : "'\(word)' is not known behind an address")
    }

    public var description: String { "'\(text)': \(reason)" }
}
