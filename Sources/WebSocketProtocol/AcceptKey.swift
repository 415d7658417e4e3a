import COpenSSL

/// The proof that a server read a WebSocket handshake (RFC 6455 §1.3).
public enum AcceptKey {
    /// RFC 6455 §1.3; the same for everyone.
    private static let identifier = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"

    /// What `Sec-WebSocket-Accept` answers to a `Sec-WebSocket-Key`.
    ///
    /// RFC 6455 §4.2.2: the base64 of the SHA-1 of the key followed by the identifier. The key is
    /// taken as text and not decoded.
    public static func value(for key: String) -> String {
        let input = Array((key + identifier).utf8)
        var digest = [UInt8](repeating: 0, count: Int(SHA_DIGEST_LENGTH))
        _ = SHA1(input, input.count, &digest)
        return base64(digest)
    }

    /// Whether the text is the base64 of 16 bytes, as RFC 6455 §4.2.1 demands of a key.
    ///
    /// 16 bytes are 21 letters, one that has four of its six bits left over and zero, and "==".
    public static func isValid(_ key: String) -> Bool {
        let bytes = Array(key.utf8)
        return bytes.count == 24 && bytes[..<22].allSatisfy(isBase64Byte)
            && "AQgw".utf8.contains(bytes[21]) && bytes[22...].elementsEqual("==".utf8)
    }

    /// A key for a client: "a randomly selected 16-byte value" (RFC 6455 §4.1).
    public static func random(using generator: inout some RandomNumberGenerator) -> String {
        base64((0..<16).map { _ in UInt8.random(in: .min ... .max, using: &generator) })
    }

    private static func isBase64Byte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "+"), UInt8(ascii: "/"):
            true
        default:
            false
        }
    }

    private static func base64(_ bytes: [UInt8]) -> String {
        // EVP_EncodeBlock writes four letters for each three bytes begun, and a NUL.
        var letters = [UInt8](repeating: 0, count: (bytes.count + 2) / 3 * 4 + 1)
        let letterCount = EVP_EncodeBlock(&letters, bytes, Int32(bytes.count))
        return String(decoding: letters.prefix(Int(letterCount)), as: UTF8.self)
    }
}
