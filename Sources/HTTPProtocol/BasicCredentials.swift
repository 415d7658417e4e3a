/// A name and a password from an `Authorization` field (RFC 7617).
public struct BasicCredentials: Sendable, Hashable {
    /// Has no colon.
    public let user: String
    public let password: String

    /// A pair made by hand.
    public init(user: String, password: String) {
        self.user = user
        self.password = password
    }

    /// Reads `Basic dGVzdDp0ZXN0`.
    ///
    /// - Returns: `nil` for another scheme, for what is not base64 of UTF-8 with a colon, and for
    ///   control characters, which RFC 7617 §2 forbids. A NUL would end a password early for
    ///   others.
    public init?(authorization value: String) {
        let parts = value.split(separator: " ", maxSplits: 1)
        guard parts.count == 2, HeaderGrammar.equalsIgnoringCase(String(parts[0]), "Basic"),
            let bytes = Base64.decoded(Byte.trimmed(parts[1].utf8)),
            !bytes.contains(where: { $0 < 0x20 || $0 == 0x7F }),
            let text = String(validating: bytes, as: UTF8.self)
        else { return nil }
        self.init(text)
    }

    /// Reads `user:password`; the password may have colons. `nil` without one.
    public init?(_ text: String) {
        guard let colon = text.utf8.firstIndex(of: Byte.colon) else { return nil }
        user = String(text[..<colon])
        password = String(text[text.utf8.index(after: colon)...])
    }
}

extension BasicCredentials {
    /// `Basic dGVzdDp0ZXN0`, the value of an `Authorization` field.
    public var authorization: String {
        "Basic " + Base64.encoded(Array("\(user):\(password)".utf8))
    }
}

/// RFC 4648 §4.
package enum Base64 {
    static func encoded(_ bytes: [UInt8]) -> String {
        let alphabet = Array(
            "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
        var letters: [UInt8] = []
        for start in stride(from: 0, to: bytes.count, by: 3) {
            let group = bytes[start..<min(start + 3, bytes.count)]
            let bits = group.reduce(0) { $0 << 8 | Int($1) } << (8 * (3 - group.count))
            for index in 0..<4 {
                letters.append(
                    index <= group.count ? alphabet[bits >> (18 - 6 * index) & 63] : Byte.equals)
            }
        }
        return String(decoding: letters, as: UTF8.self)
    }

    /// - Returns: `nil` for a letter outside the alphabet, for wrong padding, and for bits left
    ///   over that are not zero: there is one way to write each value.
    package static func decoded(_ letters: some Collection<UInt8>) -> [UInt8]? {
        let padding = letters.reversed().prefix { $0 == Byte.equals }.count
        guard letters.count.isMultiple(of: 4), padding <= 2 else { return nil }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(letters.count / 4 * 3)
        var (bits, bitCount): (UInt32, Int) = (0, 0)
        for letter in letters.dropLast(padding) {
            guard let value = value(letter) else { return nil }
            bits = bits << 6 | UInt32(value)
            bitCount += 6
            if bitCount >= 8 {
                bitCount -= 8
                bytes.append(UInt8(truncatingIfNeeded: bits >> UInt32(bitCount)))
                bits &= (1 << UInt32(bitCount)) - 1
            }
        }
        return bits == 0 ? bytes : nil
    }

    private static func value(_ letter: UInt8) -> UInt8? {
        switch letter {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"): letter - UInt8(ascii: "A")
        case UInt8(ascii: "a")...UInt8(ascii: "z"): letter - UInt8(ascii: "a") + 26
        case UInt8(ascii: "0")...UInt8(ascii: "9"): letter - UInt8(ascii: "0") + 52
        case Byte.plus: 62
        case Byte.slash: 63
        default: nil
        }
    }
}
