import TestSupport
import Testing

@testable import WebSocketHost

@Suite("Where to listen, as text")
struct ListenAddressTests {
    static let addresses: [Row<String, ListenAddress>] = [
        Row("IPv4", "127.0.0.1:9998", .internet(host: "127.0.0.1", port: 9_998)),
        Row("IPv6", "[::1]:9998", .internet(host: "[::1]", port: 9_998)),
        Row("every address", "*:80", .internet(host: "*", port: 80)),
        Row("every IPv6 address", "[::]:80", .internet(host: "[::]", port: 80)),
        Row("a name", "localhost:65535", .internet(host: "localhost", port: 65_535)),
        Row("any free port", "chat.example:0", .internet(host: "chat.example", port: 0)),
        Row("a path", "unix:/run/x.sock", .unix(path: "/run/x.sock", mode: nil)),
        Row("a relative path", "unix:x.sock", .unix(path: "x.sock", mode: nil)),
        Row("a path with colons", "unix:/run/a:1", .unix(path: "/run/a:1", mode: nil)),
        Row("a path with spaces", "unix:/run/a b", .unix(path: "/run/a b", mode: nil)),
        Row("a mode", "unix:/run/x.sock,mode=0660", .unix(path: "/run/x.sock", mode: 0o660)),
        Row(
            "of three digits", "unix:/run/x.sock,mode=600", .unix(path: "/run/x.sock", mode: 0o600)),
        Row("for all", "unix:/run/x.sock,mode=0777", .unix(path: "/run/x.sock", mode: 0o777)),
        Row(
            "the longest path", "unix:/" + String(repeating: "x", count: 106),
            .unix(path: "/" + String(repeating: "x", count: 106), mode: nil)),
        Row("@ in the middle", "unix:./@x", .unix(path: "./@x", mode: nil)),
    ]

    @Test("is read", arguments: addresses)
    func read(_ row: Row<String, ListenAddress>) throws {
        #expect(try ListenAddress.parse(row.input) == row.expected)
    }

    /// Each with a part of what is said of it.
    static let errors: [Row<String, String>] = [
        Row("nothing", "", "the port is missing: localhost:9998"),
        Row("no port", "127.0.0.1", "the port is missing: 127.0.0.1:9998"),
        Row("only a port", "9998", "localhost:9998, or *:9998 for every address"),
        Row("an empty host", ":9998", "*:9998 for every address"),
        Row("an empty port", "localhost:", "'' is no port from 0"),
        Row("a port that is too great", "localhost:65536", "'65536' is no port"),
        Row("a negative port", "localhost:-1", "'-1' is no port"),
        Row("a port with a sign", "localhost:+80", "'+80' is no port"),
        Row("a name as port", "localhost:http", "'http' is no port"),
        Row("digits of another script", "localhost:٨٠", "is no port"),
        Row("IPv6 without brackets", "::1:9998", "an IPv6 address has brackets: [::1]:9998"),
        Row("IPv6 without a port", "[::1]", "an IPv6 address has brackets"),
        Row("half a bracket", "[::1:9998", "an IPv6 address has brackets"),
        Row("empty brackets", "[]:9998", "neither a name nor an address"),
        Row("a URL", "ws://localhost:9998", "an IPv6 address has brackets"),
        Row("spaces", "local host:1", "neither a name nor an address"),
        Row("no path", "unix:", "the path is missing"),
        Row("an abstract name", "unix:@x", "abstract names (@) have no rights"),
        Row("a path with a line end", "unix:/run/\n", "control characters"),
        Row("a path with NUL", "unix:/run/\0x", "control characters"),
        Row(
            "a path of 108 bytes", "unix:/" + String(repeating: "x", count: 107),
            "the path has 108 bytes, and at most 107"),
        Row(
            "bytes count, not characters", "unix:/" + String(repeating: "é", count: 54),
            "the path has 109 bytes"),
        Row("an empty mode", "unix:/x,mode=", "'' is no mode"),
        Row("a mode of two digits", "unix:/x,mode=66", "'66' is no mode"),
        Row("a mode of five digits", "unix:/x,mode=00660", "is no mode"),
        Row("a mode that is not octal", "unix:/x,mode=0688", "'0688' is no mode"),
        Row("more than rights", "unix:/x,mode=4755", "'4755' is no mode"),
        Row("two modes", "unix:/x,mode=0660,mode=0600", "mode= is there twice"),
        Row("a mode of a port", "localhost:1,mode=0660", "mode= is for Unix-domain sockets"),
        Row("an unknown word", "localhost:1,fast", "'fast' is not known"),
        Row("an empty word", "localhost:1,", "'' is not known"),
        Row("a word of listeners", "unix:/x,tls", "'tls' is not known"),
    ]

    @Test("is refused with what to write instead", arguments: errors)
    func refuse(_ row: Row<String, String>) {
        let error = #expect(throws: ListenAddressError.self) {
            try ListenAddress.parse(row.input)
        }
        #expect(error?.text == row.input)
        #expect(error?.reason.contains(row.expected) == true, "\(error?.reason ?? "")")
    }

    @Test("what may stand behind it")
    func words() throws {
        let plain = try ListenerSettings.parse("unix:/x,mode=0660")
        #expect(plain == ListenerSettings(unix: "/x", mode: 0o660))
        #expect(!plain.isSecure && !plain.usesProxyProtocol)
        #expect(try ListenerSettings.parse("*:1,tls").isSecure)
        let both = try ListenerSettings.parse("unix:/x,proxy-protocol,mode=0600,tls")
        #expect(both.isSecure && both.usesProxyProtocol)
        #expect(both.address == .unix(path: "/x", mode: 0o600))
        #expect(throws: ListenAddressError.self) { try ListenerSettings.parse("*:1,TLS") }
    }

    @Test("the text of an address is read as that again")
    func text() throws {
        for text in ["[::1]:9998", "*:1", "localhost:0", "unix:/run/x.sock"] {
            #expect(try ListenAddress.parse(text).description == text)
        }
        #expect(ListenAddress.internet(host: "::1", port: 1).description == "[::1]:1")
    }
}
