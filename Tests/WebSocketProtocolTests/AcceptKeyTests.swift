import Testing
import WebSocketProtocol

@Suite("RFC 6455 §1.3 Accept key")
struct AcceptKeyTests {
    @Test(arguments: [
        ("dGhlIHNhbXBsZSBub25jZQ==", "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="),  // RFC 6455 §1.3
        ("AQIDBAUGBwgJCgsMDQ4PEA==", "C/0nmHhBztSRGR1CwL6Tf4ZjwpY="),
    ])
    func answersAKey(_ key: String, _ value: String) {
        #expect(AcceptKey.value(for: key) == value)
    }

    @Test(arguments: [
        ("16 bytes", "dGhlIHNhbXBsZSBub25jZQ==", true),
        ("all letters of base64 that are no letters", "++++////++++////++++/w==", true),
        ("empty", "", false),
        ("15 bytes", "dGhlIHNhbXBsZSBub25j", false),
        ("17 bytes", "dGhlIHNhbXBsZSBub25jZSE=", false),
        ("16 bytes and bits left over", "dGhlIHNhbXBsZSBub25jZR==", false),
        ("no padding", "dGhlIHNhbXBsZSBub25jZQ", false),
        ("padding inside", "dGhlIHNhbXBsZSBub25j=Q==", false),
        ("URL alphabet", "dGhlIHNhbXBsZSBub25j-Q==", false),
        ("space before", " dGhlIHNhbXBsZSBub25jZQ==", false),
        ("non-ASCII", "édGhlIHNhbXBsZSBub25jQ==", false),
    ])
    func checksAKey(_ name: String, _ key: String, _ isValid: Bool) {
        #expect(AcceptKey.isValid(key) == isValid, "\(name)")
    }

    /// Counts up, so that the key can be written down.
    private struct CountingGenerator: RandomNumberGenerator {
        var value: UInt64 = 0

        mutating func next() -> UInt64 {
            value += 1
            return value &* 0x0101_0101_0101_0101
        }
    }

    @Test func randomKeysAreValidAndDiffer() {
        var generator = CountingGenerator()
        let keys = (0..<16).map { _ in AcceptKey.random(using: &generator) }
        #expect(keys.first == "AQIDBAUGBwgJCgsMDQ4PEA==")
        #expect(Set(keys).count == 16)
        for key in keys { #expect(AcceptKey.isValid(key), "\(key)") }
    }
}
