import TestSupport
import Testing

@testable import HTTPProtocol

@Suite("Hosts and origins, as they are compared")
struct WebOriginTests {
    static let hosts: [Row<String, URLHost?>] = [
        Row("name", "example.com", .name("example.com")),
        Row("capitals", "EXAMPLE.Com", .name("example.com")),
        Row("dot at the end", "localhost.", .name("localhost")),
        Row("IPv4", "127.0.0.1", .ipv4(0x7F00_0001)),
        Row("IPv4 with a dot", "127.0.0.1.", .ipv4(0x7F00_0001)),
        Row("leading zero", "127.0.0.01", .name("127.0.0.01")),
        Row("three numbers", "127.0.1", .name("127.0.1")),
        Row("256", "127.0.0.256", .name("127.0.0.256")),
        Row("IPv6", "[::1]", .ipv6([0, 0, 0, 0, 0, 0, 0, 1])),
        Row("IPv6 without brackets", "::1", .ipv6([0, 0, 0, 0, 0, 0, 0, 1])),
        Row("IPv6 in full", "[0:0:0:0:0:0:0:1]", .ipv6([0, 0, 0, 0, 0, 0, 0, 1])),
        Row("IPv6 with zeros", "[0000::0001]", .ipv6([0, 0, 0, 0, 0, 0, 0, 1])),
        Row("IPv6 in capitals", "[2001:DB8::]", .ipv6([0x2001, 0xDB8, 0, 0, 0, 0, 0, 0])),
        Row("IPv6, gap within", "[1::8]", .ipv6([1, 0, 0, 0, 0, 0, 0, 8])),
        Row(
            "IPv6, end in dots", "[::ffff:0:1.2.3.4]", .ipv6([0, 0, 0, 0, 0xFFFF, 0, 0x102, 0x304])),
        Row("IPv4 as IPv6", "[::ffff:127.0.0.1]", .ipv4(0x7F00_0001)),
        Row("IPv6 with a zone", "fe80::1%eth0", .ipv6([0xFE80, 0, 0, 0, 0, 0, 0, 1])),
        Row("all addresses", "[::]", .ipv6([0, 0, 0, 0, 0, 0, 0, 0])),
        Row("empty", "", nil),
        Row("brackets", "[]", nil),
        Row("name in brackets", "[localhost]", nil),
        Row("two gaps", "[1::2::3]", nil),
        Row("three colons", "[:::1]", nil),
        Row("nine groups", "[1:2:3:4:5:6:7:8:9]", nil),
        Row("gap for nothing", "[1:2:3:4::5:6:7:8]", nil),
        Row("seven groups", "[1:2:3:4:5:6:7]", nil),
        Row("long group", "[::00001]", nil),
        Row("colon at the end", "[1:2:3:4:5:6:7:]", nil),
        Row("not hexadecimal", "[::g]", nil),
        Row("IPv4 in the middle", "[::1.2.3.4:5]", nil),
        Row("not ASCII", "é", nil),
    ]

    @Test("one form for all spellings", arguments: hosts)
    func host(_ row: Row<String, URLHost?>) { #expect(URLHost(row.input) == row.expected) }

    @Test(
        "what leads to this machine",
        arguments: [
            ("localhost", true), ("a.b.LOCALHOST.", true), ("127.9.9.9", true), ("[::1]", true),
            ("[::ffff:127.0.0.1]", true), ("localhost.example.com", false), ("mylocalhost", false),
            ("128.0.0.1", false), ("[::2]", false), ("127.0.0.1.example.com", false),
            ("0.0.0.0", false),
        ])
    func loopback(_ text: String, _ isLoopback: Bool) {
        #expect(URLHost(text)?.isLoopback == isLoopback)
    }

    @Test("every address", arguments: ["0.0.0.0", "::", "[0:0::0]"])
    func unspecified(_ text: String) { #expect(URLHost(text)?.isUnspecified == true) }

    @Test(
        "origins that are equal, and others",
        arguments: [
            ("http://a", "HTTP://A:80", true), ("https://a", "https://a.:443", true),
            ("http://[::1]:1", "http://[0:0::1]:1", true), ("http://a", "https://a", false),
            ("http://a", "http://a:81", false), ("http://a", "http://b", false),
            ("x-app://a", "x-app://a", true), ("x-app://a", "x-app://a:80", false),
        ])
    func origins(_ first: String, _ second: String, _ areEqual: Bool) throws {
        let (first, second) = (try #require(WebOrigin(first)), try #require(WebOrigin(second)))
        #expect((first == second) == areEqual)
    }

    @Test(
        "what is no origin",
        arguments: [
            "null", "", "a", "//a", "://a", "1a://a", "a b://c", "http:/a", "http://", "http://a/",
            "http://a b", "http://u@a", "http://a:b", "http://a:70000", "http://[::g]", "http:a//b",
            "file:///",
        ])
    func noOrigin(_ text: String) { #expect(WebOrigin(text) == nil) }
}
