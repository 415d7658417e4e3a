import EventLoop
import HTTPProtocol
import TestSupport
import Testing

@testable import Proxies

/// The trusted proxies are 10.0.0.0/8 and 2001:db8::/32; the request comes from 10.0.0.1 unless a
/// row says otherwise.
@Suite("Who the client is behind proxies")
struct ForwardedClientTests {
    typealias Case = Row<[String], String?>

    static let xForwardedRows: [Case] = [
        Row("nothing", [], nil),
        Row("one proxy", ["X-Forwarded-For: 192.0.2.1"], "192.0.2.1"),
        Row("two proxies", ["X-Forwarded-For: 192.0.2.1, 10.0.0.2"], "192.0.2.1"),
        Row(
            "the client's own word before it", ["X-Forwarded-For: 6.6.6.6, 192.0.2.1"],
            "192.0.2.1"),
        Row(
            "the client names a trusted proxy", ["X-Forwarded-For: 6.6.6.6, 10.0.0.9, 192.0.2.1"],
            "192.0.2.1"),
        Row(
            "the client claims this machine", ["X-Forwarded-For: 127.0.0.1, 192.0.2.1"],
            "192.0.2.1"),
        Row("all are proxies: the first", ["X-Forwarded-For: 10.0.0.3, 10.0.0.2"], "10.0.0.3"),
        Row(
            "two lines", ["X-Forwarded-For: 6.6.6.6", "X-Forwarded-For: 192.0.2.1"], "192.0.2.1"),
        Row(
            "two lines and a proxy",
            ["X-Forwarded-For: 6.6.6.6, 192.0.2.1", "X-Forwarded-For: 10.0.0.2"], "192.0.2.1"),
        Row("name in other letters", ["x-forwarded-FOR: 192.0.2.1"], "192.0.2.1"),
        Row("no space", ["X-Forwarded-For: 6.6.6.6,192.0.2.1"], "192.0.2.1"),
        Row("much space", ["X-Forwarded-For:   6.6.6.6 \t ,\t 192.0.2.1  "], "192.0.2.1"),
        Row("empty elements", ["X-Forwarded-For: , 192.0.2.1, ,"], "192.0.2.1"),
        Row("empty", ["X-Forwarded-For:"], nil),
        Row("commas alone", ["X-Forwarded-For: ,,,"], nil),
        Row("port", ["X-Forwarded-For: 192.0.2.1:4711"], "192.0.2.1:4711"),
        Row("IPv6", ["X-Forwarded-For: 2001:470::1"], "[2001:470::1]"),
        Row("IPv6 in brackets", ["X-Forwarded-For: [2001:470::1]"], "[2001:470::1]"),
        Row("IPv6 with a port", ["X-Forwarded-For: [2001:470::1]:4711"], "[2001:470::1]:4711"),
        Row("IPv6 of a proxy", ["X-Forwarded-For: 192.0.2.1, 2001:db8::7"], "192.0.2.1"),
        Row(
            "IPv4 as IPv6, a proxy", ["X-Forwarded-For: 192.0.2.1, ::ffff:10.0.0.2"], "192.0.2.1"),
        Row("unknown", ["X-Forwarded-For: unknown"], nil),
        Row(
            "unknown before a proxy", ["X-Forwarded-For: 192.0.2.1, unknown, 10.0.0.2"],
            "10.0.0.2"),
        Row("nonsense", ["X-Forwarded-For: <script>"], nil),
        Row("nonsense before a proxy", ["X-Forwarded-For: 192.0.2.1, x, 10.0.0.2"], "10.0.0.2"),
        Row("a name", ["X-Forwarded-For: localhost"], nil),
        Row("a URL", ["X-Forwarded-For: http://192.0.2.1/"], nil),
        Row("a range", ["X-Forwarded-For: 192.0.2.0/24"], nil),
        Row("256", ["X-Forwarded-For: 192.0.2.256"], nil),
        Row("a number", ["X-Forwarded-For: 3221225985"], nil),
        Row("hexadecimal", ["X-Forwarded-For: 0xC0000201"], nil),
        Row("leading zero", ["X-Forwarded-For: 192.0.2.01"], nil),
        Row("three numbers", ["X-Forwarded-For: 192.0.2"], nil),
        Row("port too large", ["X-Forwarded-For: 192.0.2.1:65536"], nil),
        Row("port of letters", ["X-Forwarded-For: 192.0.2.1:http"], nil),
        Row("sign before the port", ["X-Forwarded-For: 192.0.2.1:+80"], nil),
        Row("empty port", ["X-Forwarded-For: 192.0.2.1:"], nil),
        Row("open bracket", ["X-Forwarded-For: [2001:470::1"], nil),
        Row("text behind the bracket", ["X-Forwarded-For: [2001:470::1]x"], nil),
        Row("IPv4 in brackets", ["X-Forwarded-For: [192.0.2.1]"], nil),
        Row("a zone", ["X-Forwarded-For: fe80::1%eth0"], nil),
        Row("not ASCII", ["X-Forwarded-For: ١٩٢.0.2.1"], nil),
        Row("a quote that is not closed", ["X-Forwarded-For: \"192.0.2.1"], nil),
        Row("X-Real-IP alone", ["X-Real-IP: 192.0.2.1"], nil),
        Row("the other kind of field", ["Forwarded: for=192.0.2.1"], nil),
        Row(
            "more proxies than are looked at",
            ["X-Forwarded-For: 192.0.2.1" + String(repeating: ", 10.0.0.2", count: 40)],
            "10.0.0.2"),
        Row(
            "a secure client", ["X-Forwarded-For: 192.0.2.1", "X-Forwarded-Proto: https"],
            "192.0.2.1 https"),
        Row("wss", ["X-Forwarded-For: 192.0.2.1", "X-Forwarded-Proto: WSS"], "192.0.2.1 https"),
        Row("http", ["X-Forwarded-For: 192.0.2.1", "X-Forwarded-Proto: http"], "192.0.2.1 http"),
        Row(
            "another scheme", ["X-Forwarded-For: 192.0.2.1", "X-Forwarded-Proto: ftp"],
            "192.0.2.1"),
        Row("a scheme without a client", ["X-Forwarded-Proto: https"], nil),
        Row(
            "a scheme for each address",
            ["X-Forwarded-For: 192.0.2.1, 10.0.0.2", "X-Forwarded-Proto: https, http"],
            "192.0.2.1 https"),
        Row(
            "the client's scheme before the proxy's",
            ["X-Forwarded-For: 192.0.2.1", "X-Forwarded-Proto: https, http"], "192.0.2.1 http"),
        Row(
            "the server's name",
            ["X-Forwarded-For: 192.0.2.1", "X-Forwarded-Host: chat.example:8443"],
            "192.0.2.1 chat.example:8443"),
        Row(
            "no name at all", ["X-Forwarded-For: 192.0.2.1", "X-Forwarded-Host: a b/c"],
            "192.0.2.1"),
    ]

    @Test("X-Forwarded-For, -Proto, -Host", arguments: xForwardedRows)
    func xForwarded(_ row: Case) throws {
        #expect(try text(row.input, .xForwarded) == row.expected)
    }

    static let forwardedRows: [Case] = [
        Row("one proxy", ["Forwarded: for=192.0.2.1"], "192.0.2.1"),
        Row("in other letters", ["forwarded: For=192.0.2.1"], "192.0.2.1"),
        Row("two proxies", ["Forwarded: for=192.0.2.1, for=10.0.0.2"], "192.0.2.1"),
        Row("the client's own word", ["Forwarded: for=6.6.6.6, for=192.0.2.1"], "192.0.2.1"),
        Row("two lines", ["Forwarded: for=6.6.6.6", "Forwarded: for=192.0.2.1"], "192.0.2.1"),
        Row("a port", ["Forwarded: for=\"192.0.2.1:4711\""], "192.0.2.1:4711"),
        Row("a port without quotes is no token", ["Forwarded: for=192.0.2.1:4711"], nil),
        Row("IPv6", ["Forwarded: for=\"[2001:470::1]:4711\""], "[2001:470::1]:4711"),
        Row("a hidden port", ["Forwarded: for=\"192.0.2.1:_x\""], "192.0.2.1"),
        Row("an empty hidden port", ["Forwarded: for=\"192.0.2.1:_\""], nil),
        Row("unknown", ["Forwarded: for=unknown"], nil),
        Row("a name that hides it", ["Forwarded: for=_secret"], nil),
        Row(
            "hidden before a proxy", ["Forwarded: for=192.0.2.1, for=_gate, for=10.0.0.2"],
            "10.0.0.2"),
        Row(
            "all parameters",
            ["Forwarded: by=10.0.0.1;for=192.0.2.1;proto=https;host=chat.example"],
            "192.0.2.1 https chat.example"),
        Row(
            "those of the client's element count",
            ["Forwarded: for=192.0.2.1;proto=https, for=10.0.0.2;proto=http;host=inner"],
            "192.0.2.1 https"),
        Row("for twice", ["Forwarded: for=192.0.2.1;for=192.0.2.2"], nil),
        Row("no for", ["Forwarded: proto=https"], nil),
        Row("white space around =", ["Forwarded: for = 192.0.2.1"], "192.0.2.1"),
        Row("a comma in quotes", ["Forwarded: for=192.0.2.1;host=\"a,b\""], "192.0.2.1 a,b"),
        Row("a quote that is not closed", ["Forwarded: for=\"192.0.2.1"], nil),
        Row(
            "a fault in one element is one of all", ["Forwarded: for=192.0.2.1;;=, for=10.0.0.2"],
            nil),
        Row("the other kind of field", ["X-Forwarded-For: 192.0.2.1"], nil),
        Row("an address alone", ["Forwarded: 192.0.2.1"], nil),
    ]

    @Test("Forwarded (RFC 7239)", arguments: forwardedRows)
    func forwarded(_ row: Case) throws {
        #expect(try text(row.input, .forwarded) == row.expected)
    }

    @Test(
        "whose word counts",
        arguments: [
            ("192.0.2.77", nil), ("10.255.0.1", "192.0.2.1"), ("2001:db8::1", "192.0.2.1"),
            ("2001:470::1", nil), ("::ffff:10.0.0.1", "192.0.2.1"), ("127.0.0.1", nil),
        ] as [(String, String?)])
    func peers(_ peer: String, _ expected: String?) throws {
        #expect(try text(["X-Forwarded-For: 192.0.2.1"], .xForwarded, from: peer) == expected)
        #expect(try text(["Forwarded: for=192.0.2.1"], .forwarded, from: peer) == expected)
    }

    private func text(
        _ lines: [String], _ headers: ProxyHeaders, from peer: String = "10.0.0.1"
    ) throws -> String? {
        let trusted = try TrustedProxies(
            ranges: ["10.0.0.0/8", "2001:db8::/32"].map { try #require(AddressRange($0)) })
        var fields = Fields()
        for line in lines {
            let colon = try #require(line.firstIndex(of: ":"))
            try fields.append(
                String(line[..<colon]), String(line[line.index(after: colon)...]))
        }
        let address = try #require(SocketAddress(number: peer, port: 4_000))
        guard let client = trusted.client(of: fields, from: address, headers) else { return nil }
        let words = [
            "\(client.address)", client.isSecure.map { $0 ? "https" : "http" }, client.authority,
        ]
        return words.compactMap(\.self).joined(separator: " ")
    }
}
