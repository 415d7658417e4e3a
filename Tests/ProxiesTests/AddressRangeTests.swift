import EventLoop
import TestSupport
import Testing

@testable import Proxies

@Suite("Ranges of addresses")
struct AddressRangeTests {
    static let rows: [Row<(range: String, address: String), Bool?>] = [
        Row("one address", ("10.0.0.1", "10.0.0.1"), true),
        Row("another", ("10.0.0.1", "10.0.0.2"), false),
        Row("within", ("10.0.0.0/8", "10.255.255.255"), true),
        Row("beyond", ("10.0.0.0/8", "11.0.0.0"), false),
        Row("bits amid a byte, within", ("10.16.0.0/12", "10.31.255.255"), true),
        Row("bits amid a byte, beyond", ("10.16.0.0/12", "10.32.0.0"), false),
        Row("all of IPv4", ("0.0.0.0/0", "8.8.8.8"), true),
        Row("all of IPv4 and no IPv6", ("0.0.0.0/0", "2001:db8::1"), false),
        Row("all of IPv6 and no IPv4", ("::/0", "8.8.8.8"), false),
        Row("IPv6", ("2001:db8::/32", "2001:db8:ffff::1"), true),
        Row("IPv6, beyond", ("2001:db8::/32", "2001:db9::"), false),
        Row("IPv4 in the form of IPv6", ("10.0.0.0/8", "::ffff:10.1.2.3"), true),
        Row("a range of one so", ("::ffff:10.1.2.3", "10.1.2.3"), true),
        Row("prefix of such a one", ("::ffff:10.0.0.0/104", "10.1.2.3"), nil),
        Row("bits behind the prefix", ("10.0.0.1/8", "10.0.0.1"), nil),
        Row("prefix too long", ("10.0.0.0/33", "10.0.0.0"), nil),
        Row("no prefix", ("10.0.0.0/", "10.0.0.0"), nil),
        Row("sign", ("10.0.0.0/+8", "10.0.0.0"), nil),
        Row("two prefixes", ("10.0.0.0/8/8", "10.0.0.0"), nil),
        Row("name", ("localhost", "127.0.0.1"), nil),
        Row("empty", ("", "127.0.0.1"), nil),
        Row("leading zero", ("010.0.0.1", "10.0.0.1"), nil),
        Row("three numbers", ("10.0.1", "10.0.0.1"), nil),
        Row("NUL", ("10.0.0.1\0", "10.0.0.1"), nil),
        Row("brackets", ("[::1]", "::1"), nil),
        Row("zone", ("fe80::1%lo", "fe80::1"), nil),
    ]

    @Test(arguments: rows)
    func contains(_ row: Row<(range: String, address: String), Bool?>) throws {
        let address = try #require(SocketAddress(number: row.input.address, port: 1))
        #expect(AddressRange(row.input.range)?.contains(address) == row.expected)
    }

    @Test("as text", arguments: ["10.0.0.0/8", "10.0.0.1/32", "2001:db8::/32", "::/0"])
    func text(_ text: String) { #expect(AddressRange(text)?.description == text) }

    @Test("a Unix-domain socket is in no range, and trusted by name alone")
    func unix() throws {
        let everywhere = try ["0.0.0.0/0", "::/0"].map { try #require(AddressRange($0)) }
        #expect(!TrustedProxies(ranges: everywhere).contain(.unnamed))
        #expect(TrustedProxies(includesUnix: true).contain(.unnamed))
    }
}
