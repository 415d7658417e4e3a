import COpenSSL

/// Digests of secrets under a key that this process made up, so that they can be kept and compared.
struct Digests: Sendable {
    private let key: [UInt8]

    /// - Returns: `nil` if random bytes are not available.
    init?() {
        var key = [UInt8](repeating: 0, count: 32)
        guard RAND_bytes(&key, Int32(key.count)) == 1 else { return nil }
        self.key = key
    }

    /// HMAC-SHA-256 (RFC 2104) of both, a NUL between them: neither may have one.
    func digest(_ user: String, _ password: String) -> [UInt8]? {
        let text = Array(user.utf8) + [0] + Array(password.utf8)
        var digest = [UInt8](repeating: 0, count: Int(SHA256_DIGEST_LENGTH))
        let made = HMAC(EVP_sha256(), key, Int32(key.count), text, text.count, &digest, nil)
        return made == nil ? nil : digest
    }

    /// Takes the same time whatever they are; secrets of any length become digests first.
    static func areEqual(_ a: [UInt8], _ b: [UInt8]) -> Bool {
        a.count == b.count && CRYPTO_memcmp(a, b, a.count) == 0
    }
}
