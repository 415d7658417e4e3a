import COpenSSL

/// The proof that a server read a WebSocket handshake (RFC 6455 §1.3).
public enum AcceptKey {
    /// The same for every connection (RFC 6455 §1.3).
    private static let identifier = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"

    /// SHA-1, looked up once: OpenSSL takes longer to find it than to run it.
    ///
    /// `@unchecked Sendable`: OpenSSL changes nothing in it but its count of references.
    private struct Algorithm: @unchecked Sendable {
        let pointer = EVP_MD_fetch(nil, "SHA1", nil)
    }
    private static let algorithm = Algorithm()

    /// The `Sec-WebSocket-Accept` for a `Sec-WebSocket-Key`.
    ///
    /// RFC 6455 §4.2.2: the base64 of the SHA-1 of the key followed by the identifier. The key is
    /// taken as text and not decoded.
    public static func value(for key: String) -> String {
        var letters: [UInt8] = []
        appendValue(for: key, to: &letters)
        return String(decoding: letters, as: UTF8.self)
    }

    /// Appends `value(for:)`.
    static func appendValue(for key: String, to output: inout [UInt8]) {
        withUnsafeTemporaryAllocation(of: UInt8.self, capacity: Int(SHA_DIGEST_LENGTH)) { digest in
            digest.initialize(repeating: 0)
            withBytes(of: key, identifier) { input in
                _ = EVP_Digest(
                    input.baseAddress, input.count, digest.baseAddress, nil, algorithm.pointer, nil)
            }
            appendBase64(UnsafeBufferPointer(digest), to: &output)
        }
    }

    /// The bytes of both texts, one after the other, on the stack if they are few.
    private static func withBytes(
        of first: String, _ second: String, _ body: (UnsafeRawBufferPointer) -> Void
    ) {
        let (first, second) = (first.utf8.span.bytes, second.utf8.span.bytes)
        let byteCount = first.byteCount + second.byteCount
        withUnsafeTemporaryAllocation(byteCount: byteCount, alignment: 1) { memory in
            first.withUnsafeBytes { memory.copyMemory(from: $0) }
            let rest = UnsafeMutableRawBufferPointer(rebasing: memory[first.byteCount...])
            second.withUnsafeBytes { rest.copyMemory(from: $0) }
            body(UnsafeRawBufferPointer(memory))
        }
    }

    /// Whether the text is the base64 of 16 bytes, as RFC 6455 §4.2.1 demands of a key.
    ///
    /// 16 bytes become 21 letters, one letter whose last four bits are zero, and "==".
    public static func isValid(_ key: String) -> Bool {
        let bytes = key.utf8.span
        guard bytes.count == 24, "AQgw".utf8.contains(bytes[21]), bytes[22] == UInt8(ascii: "="),
            bytes[23] == UInt8(ascii: "=")
        else { return false }
        for index in 0..<22 where !isBase64Byte(bytes[index]) { return false }
        return true
    }

    /// A key for a client: "a randomly selected 16-byte value" (RFC 6455 §4.1).
    public static func random(using generator: inout some RandomNumberGenerator) -> String {
        let bytes = (0..<16).map { _ in UInt8.random(in: .min ... .max, using: &generator) }
        var letters: [UInt8] = []
        bytes.withUnsafeBufferPointer { appendBase64($0, to: &letters) }
        return String(decoding: letters, as: UTF8.self)
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

    private static func appendBase64(_ bytes: UnsafeBufferPointer<UInt8>, to output: inout [UInt8])
    {
        // EVP_EncodeBlock writes four letters for each three bytes begun, and a NUL.
        output.append(addingCapacity: (bytes.count + 2) / 3 * 4 + 1) { output in
            output.withUnsafeMutableBufferPointer { letters, count in
                count += Int(
                    EVP_EncodeBlock(letters.baseAddress, bytes.baseAddress, Int32(bytes.count)))
            }
        }
    }
}
