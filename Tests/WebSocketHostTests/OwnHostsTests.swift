import EventLoop
import Testing

@testable import WebSocketHost

@Suite("Hosts that the author's page answers to")
struct OwnHostsTests {
    static let rows: [(host: String?, names: [String], local: String, isOwn: Bool)] = [
        ("localhost", [], "127.0.0.1", true),
        ("localhost:9998", [], "127.0.0.1", true),
        ("LOCALHOST.:1", [], "127.0.0.1", true),
        ("app.localhost:9998", [], "127.0.0.1", true),
        ("127.0.0.1:9998", [], "127.0.0.1", true),
        ("127.1.2.3", [], "127.0.0.1", true),
        ("[::1]:9998", [], "::1", true),
        ("[0:0:0:0:0:0:0:1]", [], "::1", true),
        ("evil.example", [], "127.0.0.1", false),
        ("evil.example:9998", ["*"], "127.0.0.1", false),
        ("localhost.evil.example", [], "127.0.0.1", false),
        ("127.0.0.1.evil.example", [], "127.0.0.1", false),
        ("", [], "127.0.0.1", false),
        (nil, [], "127.0.0.1", true),
        ("a@localhost", [], "127.0.0.1", false),
        ("dev.lan", ["dev.lan"], "192.0.2.1", true),
        ("DEV.lan.:80", ["Dev.LAN"], "192.0.2.1", true),
        ("other.lan", ["dev.lan"], "192.0.2.1", false),
        ("dev.lan", ["*", "dev.lan"], "192.0.2.1", true),
        ("192.0.2.1:9998", ["*"], "192.0.2.1", true),
        ("192.0.2.2:9998", ["*"], "192.0.2.1", false),
        ("192.0.2.2:9998", ["*", "192.0.2.2"], "192.0.2.1", true),
        ("[2001:db8::1]:9998", ["::"], "2001:db8::1", true),
        ("[2001:db8::2]:9998", ["::"], "2001:db8::1", false),
        ("0.0.0.0:9998", ["0.0.0.0"], "127.0.0.1", false),
        ("[::]:9998", ["::"], "::1", false),
        ("*", ["*"], "127.0.0.1", false),
    ]

    @Test("a Host is ours", arguments: rows)
    func contain(_ host: String?, _ names: [String], _ local: String, _ isOwn: Bool) throws {
        let local = try #require(try SocketAddress.resolve(host: local, port: 9998).first)
        #expect(OwnHosts(names).contain(host, localAddress: local) == isOwn)
    }

    @Test("the page is shown where no other machine can reach it, or as was wished")
    func isShown() throws {
        var configuration = Configuration()
        let near = try SocketAddress.resolve(host: "localhost", port: 1)
        let far = try SocketAddress.resolve(host: "*", port: 1)
        #expect(configuration.ownHosts(on: near) != nil)
        #expect(configuration.ownHosts(on: far) == nil)
        #expect(configuration.ownHosts(on: near + far) == nil)
        configuration.showsIndexPage = true
        #expect(configuration.ownHosts(on: far) != nil)
        configuration.showsIndexPage = false
        #expect(configuration.ownHosts(on: near) == nil)
    }
}
