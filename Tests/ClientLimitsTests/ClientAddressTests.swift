import EventLoop
import TestSupport
import Testing

@testable import ClientLimits

@Suite("Whom a limit counts as one client")
struct ClientAddressTests {
    static let pairs: [Row<(String, String), Bool>] = [
        Row("the same", ("192.0.2.1", "192.0.2.1"), true),
        Row("neighbours by IPv4", ("192.0.2.1", "192.0.2.2"), false),
        Row("one IPv6 network", ("2001:db8::1", "2001:db8::ffff:1:2:3"), true),
        Row("two IPv6 networks", ("2001:db8::1", "2001:db8:0:1::1"), false),
        Row("IPv4 in IPv6's form", ("::ffff:192.0.2.1", "192.0.2.1"), true),
        Row("two of that form", ("::ffff:192.0.2.1", "::ffff:192.0.2.2"), false),
        Row("IPv4 behind a translator", ("64:ff9b::192.0.2.1", "192.0.2.1"), true),
        Row("two behind a translator", ("64:ff9b::1.2.3.4", "64:ff9b::1.2.3.5"), false),
        Row("a network beside the translator's", ("64:ff9b:1::1", "64:ff9b::1"), false),
        Row("this machine's two", ("127.0.0.1", "::1"), false),
        Row("IPv6 addresses like an IPv4 one", ("0:ffff:c000:201::", "::1"), false),
    ]

    @Test("two addresses are one client or two", arguments: pairs)
    func same(_ row: Row<(String, String), Bool>) throws {
        let first = try #require(SocketAddress(number: row.input.0, port: 1))
        let second = try #require(SocketAddress(number: row.input.1, port: 2))
        let one = try #require(ClientAddress(first))
        let other = try #require(ClientAddress(second))
        #expect((one == other) == row.expected)
    }

    @Test("peers of a Unix-domain socket are nobody") func unix() throws {
        #expect(ClientAddress(try SocketAddress(path: "/run/x.sock")) == nil)
    }

    @Test("the hash is SipHash-1-3") func hash() {
        // The key 00 01 … 0f of the published vectors.
        let hash = AddressHash(key: (0x0706_0504_0302_0100, 0x0f0e_0d0c_0b0a_0908))
        let other = AddressHash(key: (1, 2))
        #expect(hash(client("10.0.0.1")) == 0xa270_3392_9689_6b02)
        #expect(hash(client("10.0.0.1")) != other(client("10.0.0.1")))
    }
}
