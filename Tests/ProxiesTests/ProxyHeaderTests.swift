import EventLoop
import TestSupport
import Testing

@testable import Proxies

@Suite("The PROXY protocol")
struct ProxyHeaderTests {
    typealias Case = Row<[UInt8], Result<String, ProxyHeaderError>>

    static let lines: [(name: String, text: String, expected: Result<String, ProxyHeaderError>)] = [
        (
            "IPv4", "PROXY TCP4 192.0.2.1 198.51.100.1 56324 443\r\n",
            .success("192.0.2.1:56324 198.51.100.1:443")
        ),
        ("IPv6", "PROXY TCP6 2001:db8::1 ::1 1 65535\r\n", .success("[2001:db8::1]:1 [::1]:65535")),
        (
            "port 0", "PROXY TCP4 192.0.2.1 198.51.100.1 0 443\r\n",
            .success("192.0.2.1 198.51.100.1:443")
        ),
        ("unknown", "PROXY UNKNOWN\r\n", .success("proxy")),
        ("unknown, with more", "PROXY UNKNOWN ffff::1 ffff::1 65535 65535\r\n", .success("proxy")),
        ("LF alone", "PROXY UNKNOWN\n", .failure(.malformedLine)),
        ("two spaces", "PROXY TCP4  192.0.2.1 198.51.100.1 1 2\r\n", .failure(.malformedLine)),
        ("one word less", "PROXY TCP4 192.0.2.1 198.51.100.1 1\r\n", .failure(.malformedLine)),
        ("one word more", "PROXY TCP4 192.0.2.1 198.51.100.1 1 2 3\r\n", .failure(.malformedLine)),
        (
            "a space at the end", "PROXY TCP4 192.0.2.1 198.51.100.1 1 2 \r\n",
            .failure(.malformedLine)
        ),
        ("leading zero", "PROXY TCP4 192.0.2.1 198.51.100.1 01 2\r\n", .failure(.malformedLine)),
        (
            "port too large", "PROXY TCP4 192.0.2.1 198.51.100.1 65536 2\r\n",
            .failure(.malformedLine)
        ),
        ("sign", "PROXY TCP4 192.0.2.1 198.51.100.1 +1 2\r\n", .failure(.malformedLine)),
        ("IPv6 in TCP4", "PROXY TCP4 ::1 ::1 1 2\r\n", .failure(.malformedLine)),
        ("IPv4 in TCP6", "PROXY TCP6 192.0.2.1 198.51.100.1 1 2\r\n", .failure(.malformedLine)),
        ("a name", "PROXY TCP4 localhost localhost 1 2\r\n", .failure(.malformedLine)),
        ("another protocol", "PROXY UDP4 192.0.2.1 198.51.100.1 1 2\r\n", .failure(.malformedLine)),
        ("small letters", "proxy TCP4 192.0.2.1 198.51.100.1 1 2\r\n", .failure(.notAHeader)),
        ("HTTP", "GET / HTTP/1.1\r\n", .failure(.notAHeader)),
        ("POST begins alike", "POST / HTTP/1.1\r\n", .failure(.notAHeader)),
        ("no end", "PROXY UNKNOWN " + String(repeating: "x", count: 200), .failure(.malformedLine)),
        (
            "107 bytes",
            "PROXY UNKNOWN " + String(repeating: "x", count: 91) + "\r\n", .success("proxy")
        ),
        (
            "108 bytes",
            "PROXY UNKNOWN " + String(repeating: "x", count: 92) + "\r\n", .failure(.malformedLine)
        ),
    ]

    static let signature: [UInt8] = [13, 10, 13, 10, 0, 13, 10, 0x51, 0x55, 0x49, 0x54, 10]

    static func binary(
        _ command: UInt8, _ family: UInt8, _ rest: [UInt8], byteCount: Int? = nil
    ) -> [UInt8] {
        let count = byteCount ?? rest.count
        return signature + [command, family, UInt8(count >> 8), UInt8(count & 0xFF)] + rest
    }

    static let ipv4: [UInt8] = [192, 0, 2, 1, 198, 51, 100, 1, 0xDC, 0x04, 0x01, 0xBB]
    static let ipv6: [UInt8] =
        [0x20, 0x01, 0x0D, 0xB8] + Array(repeating: 0, count: 11) + [1]
        + Array(repeating: 0, count: 15) + [1] + [0, 1, 0xFF, 0xFF]

    static let binaries: [Case] = [
        Row("IPv4", binary(0x21, 0x11, ipv4), .success("192.0.2.1:56324 198.51.100.1:443")),
        Row("IPv6", binary(0x21, 0x21, ipv6), .success("[2001:db8::1]:1 [::1]:65535")),
        Row(
            "extensions are skipped", binary(0x21, 0x11, ipv4 + [4, 0, 2, 7, 7]),
            .success("192.0.2.1:56324 198.51.100.1:443")),
        Row("local", binary(0x20, 0x00, []), .success("proxy")),
        Row("local, with addresses", binary(0x20, 0x11, ipv4), .success("proxy")),
        Row("unspecified", binary(0x21, 0x00, [1, 2, 3]), .success("proxy")),
        Row(
            "Unix-domain", binary(0x21, 0x31, Array(repeating: 0, count: 216)), .success("unix:")),
        Row(
            "half a Unix-domain address", binary(0x21, 0x31, Array(repeating: 0, count: 215)),
            .failure(.missingAddresses)),
        Row("version 1 in binary", binary(0x11, 0x11, ipv4), .failure(.unknownVersion(1))),
        Row("version 3", binary(0x31, 0x11, ipv4), .failure(.unknownVersion(3))),
        Row("another command", binary(0x22, 0x11, ipv4), .failure(.unknownCommand(2))),
        Row("UDP", binary(0x21, 0x12, ipv4), .failure(.unknownFamily(0x12))),
        Row("one byte less", binary(0x21, 0x11, ipv4.dropLast()), .failure(.missingAddresses)),
        Row("IPv6 with the bytes of IPv4", binary(0x21, 0x21, ipv4), .failure(.missingAddresses)),
        Row("nothing behind TCP4", binary(0x21, 0x11, []), .failure(.missingAddresses)),
        Row(
            "as long as may be", binary(0x21, 0x11, ipv4 + Array(repeating: 0, count: 4_068)),
            .success("192.0.2.1:56324 198.51.100.1:443")),
        Row(
            "longer", binary(0x21, 0x11, ipv4, byteCount: 4_081),
            .failure(.tooLong(byteCount: 4_097))),
        Row(
            "the longest", binary(0x21, 0x11, [], byteCount: 65_535),
            .failure(.tooLong(byteCount: 65_551))),
        Row("TLS", [0x16, 0x03, 0x01, 0x02, 0x00], .failure(.notAHeader)),
    ]

    static let rows =
        lines.map { Case($0.name, Array($0.text.utf8), $0.expected) } + binaries

    @Test("whole, with what follows", arguments: rows)
    func whole(_ row: Case) throws {
        #expect(outcome(row.input + [0x16, 3, 1]) == row.expected)
    }

    @Test("at each cut: nothing is decided too early, nor otherwise", arguments: rows)
    func cut(_ row: Case) throws {
        for count in 0..<row.input.count {
            let part = outcome(Array(row.input[..<count]))
            switch part {
            case nil: continue
            // What is wrong is wrong whatever follows.
            case .failure: #expect(part == row.expected, "\(count) bytes")
            case .success: Issue.record("read from \(count) of \(row.input.count) bytes")
            }
        }
        #expect(outcome(row.input) == row.expected)
    }

    @Test("how many bytes belong to it")
    func byteCount() throws {
        let header = Self.binary(0x21, 0x11, Self.ipv4 + [4, 0, 1, 7])
        let read = try (header + Array("GET".utf8)).withUnsafeBytes { try ProxyHeader.parse($0) }
        #expect(read?.byteCount == header.count)
        let line = Array("PROXY UNKNOWN\r\n".utf8)
        let readLine = try (line + [1]).withUnsafeBytes { try ProxyHeader.parse($0) }
        #expect(readLine?.byteCount == line.count)
    }

    @Test("no bytes are an unfinished header of either version; random ones never trap")
    func random() {
        #expect(outcome([]) == nil)
        var generator = SeededGenerator(seed: 7)
        for _ in 0..<20_000 {
            var bytes = Bool.random(using: &generator) ? Self.signature : Array("PROXY ".utf8)
            for _ in 0..<Int.random(in: 0...40, using: &generator) {
                bytes.append(UInt8.random(in: 0...255, using: &generator))
            }
            _ = outcome(bytes)
        }
    }

    private func outcome(_ bytes: [UInt8]) -> Result<String, ProxyHeaderError>? {
        bytes.withUnsafeBytes { bytes -> Result<String, ProxyHeaderError>? in
            do throws(ProxyHeaderError) {
                guard let read = try ProxyHeader.parse(bytes) else { return nil }
                switch read.header {
                case .proxyItself: return .success("proxy")
                case .client(let source, let destination):
                    return .success(
                        ([source] + [destination].compactMap(\.self)).map(\.description)
                            .joined(separator: " "))
                }
            } catch {
                return .failure(error)
            }
        }
    }
}
