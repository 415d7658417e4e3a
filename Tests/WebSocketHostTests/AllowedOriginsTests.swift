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
        (.list([]), "http://x", "x", false),
    ]

    @Test("who is admitted", arguments: rows)
    func admits(_ allowed: AllowedOrigins, _ origin: String?, _ host: String?, _ isAdmitted: Bool) {
        #expect(allowed.admits(origin, host: host) == isAdmitted)
    }
}
