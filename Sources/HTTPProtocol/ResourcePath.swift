/// What a path on the wire means as a path of names.
public enum ResourcePath {
    /// `/na%C3%AFve` → `/naïve`.
    ///
    /// RFC 3986 §2.1: `pct-encoded = "%" HEXDIG HEXDIG`.
    ///
    /// - Returns: `nil` if a "%" is not followed by two hexadecimal digits, or if what comes out
    ///   has a NUL or is not UTF-8.
    public static func percentDecoded(_ path: String) -> String? {
        let isPlain = path.utf8.span.allSatisfy { $0 != Byte.percent && $0 != 0 }
        if isPlain { return path }
        guard let bytes = PercentEncoding.decoded(path.utf8, isStrict: true), !bytes.contains(0)
        else { return nil }
        return String(validating: bytes, as: UTF8.self)
    }

    /// `/naïve` → `/na%C3%AFve`: RFC 3986 §2.3's unreserved characters and the slash stay.
    public static func percentEncoded(_ path: String) -> String {
        path.utf8.reduce(into: "") { text, byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."),
                UInt8(ascii: "_"), UInt8(ascii: "~"), UInt8(ascii: "/"):
                text.unicodeScalars.append(Unicode.Scalar(byte))
            default:
                text += (byte < 16 ? "%0" : "%") + String(byte, radix: 16, uppercase: true)
            }
        }
    }

    /// Whether a segment is "." or "..", which would lead somewhere else (RFC 3986 §3.3).
    ///
    /// - Parameter path: decoded, so that neither `%2e%2e/` nor `..%2f` hides one.
    public static func hasDotSegments(_ path: some StringProtocol) -> Bool {
        path.utf8.split(separator: Byte.slash).contains { segment in
            segment.count <= 2 && segment.allSatisfy { $0 == Byte.dot }
        }
    }
}

/// RFC 3986 §2.1.
enum PercentEncoding {
    /// - Parameters:
    ///   - isStrict: whether a "%" without two digits is a fault, or stands for itself as in the
    ///     URL standard's forms.
    ///   - plusIsSpace: as in `application/x-www-form-urlencoded`.
    static func decoded(
        _ text: some Collection<UInt8>, isStrict: Bool, plusIsSpace: Bool = false
    ) -> [UInt8]? {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(text.count)
        var rest = text[...]
        while let byte = rest.popFirst() {
            switch byte {
            case Byte.percent:
                let digits = rest.prefix(2).compactMap(Byte.hexValue)
                if digits.count == 2 {
                    bytes.append(digits[0] << 4 | digits[1])
                    rest.removeFirst(2)
                } else if isStrict {
                    return nil
                } else {
                    bytes.append(byte)
                }
            case Byte.plus where plusIsSpace:
                bytes.append(Byte.space)
            default:
                bytes.append(byte)
            }
        }
        return bytes
    }
}
