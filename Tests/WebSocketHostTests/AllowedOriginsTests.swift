import Testing

@testable import WebSocketHost

@Suite("RFC 6455 §10.2 Allowed origins")
struct AllowedOriginsTests {
    static let rows: [(AllowedOrigins, origin: String?, host: String?, isAdmitted: Bool)] = [
        (.any, "http://x", "y", true),
        (.same, "http://localhost:9998", "localhost:9998", true),
        (.same, "https://LOCALHOST:9998", "localhost:9998", true),
        (.same, "http://localhost:9999", "localhost:9998", false),
        (.same, "http://localhost", "localhost:9998", false),
        (.same, "null", "localhost", false),
        (.same, "http://evil/localhost", "localhost", false),
        (.same, "http/x/localhost", "localhost", false),
        (.same, "http://localhost", nil, false),
        (.same, nil, "localhost", true),
        (.same, "http://localhost", "localhost:80", true),
        (.same, "http://localhost:80", "localhost", true),
        (.same, "https://localhost", "localhost:443", true),
        (.same, "https://localhost:443", "localhost", true),
        (.same, "https://localhost", "localhost:80", false),
        (.same, "http://localhost", "localhost:443", false),
        (.same, "http://[::1]:9998", "[0:0:0:0:0:0:0:1]:9998", true),
        (.same, "http://[0:0::1]", "[::1]:80", true),
        (.same, "http://[::1]:9998", "[::2]:9998", false),
        (.same, "http://example.com", "EXAMPLE.com.", true),
        (.same, "http://example.com.:80", "example.com", true),
        (.same, "http://u@localhost", "localhost", false),
        (.list([]), "http://x", "x", false),
        (.list(["https://Example.com"]), "https://example.com", "x", true),
        (.list(["https://example.com:443"]), "https://example.com", "x", true),
        (.list(["https://example.com"]), "http://example.com", "x", false),
        (.list(["http://[::1]"]), "http://[0:0:0:0:0:0:0:1]:80", "x", true),
        (.list(["null"]), "null", "x", true),
        (.list(["http://x"]), "null", "x", false),
    ]

    @Test("who is admitted", arguments: rows)
    func admits(_ allowed: AllowedOrigins, _ origin: String?, _ host: String?, _ isAdmitted: Bool) {
        #expect(allowed.admits(origin, authority: host) == isAdmitted)
    }
}
