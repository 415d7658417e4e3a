import COpenSSL

/// Short names for contents: equal contents have equal ones, and different contents do not.
enum Digest {
    /// 16 hexadecimal digits of the SHA-256 of the parts, with their borders.
    static func of(_ parts: String...) -> String { of(parts) }

    static func of(_ parts: [String]) -> String {
        var bytes: [UInt8] = []
        for part in parts {
            bytes += part.utf8
            bytes.append(0)
        }
        return of(bytes)
    }

    static func of(_ bytes: [UInt8]) -> String {
        var digest = [UInt8](repeating: 0, count: Int(SHA256_DIGEST_LENGTH))
        _ = SHA256(bytes, bytes.count, &digest)
        let digits = Array("0123456789abcdef")
        return String(digest[..<8].flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] })
    }
}
