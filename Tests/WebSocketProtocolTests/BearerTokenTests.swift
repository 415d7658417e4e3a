import HTTPProtocol
import TestSupport
import Testing
import WebSocketProtocol

@Suite("Bearer tokens")
struct BearerTokenTests {
    @Test(
        "in an Authorization field",
        arguments: [
            Row("RFC 6750's example", "Bearer mF_9.B5f-4.1JqM", "mF_9.B5f-4.1JqM"),
            Row("any case of the scheme", "bEARER a", "a"),
            Row("several spaces", "Bearer   a", "a"),
            Row("all letters, and padding", "Bearer a-._~+/Z9==", "a-._~+/Z9=="),
            Row("another scheme", "Basic dGVzdDp0ZXN0", nil),
            Row("no token", "Bearer ", nil),
            Row("the scheme alone", "Bearer", nil),
            Row("nothing", "", nil),
            Row("two tokens", "Bearer a b", nil),
            Row("padding in the middle", "Bearer a=b", nil),
            Row("padding alone", "Bearer ==", nil),
            Row("letters of no token", "Bearer a\u{E9}", nil),
        ] as [Row<String, String?>])
    func field(_ row: Row<String, String?>) {
        #expect(BearerToken.token(inAuthorization: row.input) == row.expected)
    }

    struct Separated: Sendable {
        let token: String?
        let subprotocols: [String]
    }

    private static let kubernetes = "base64url.bearer.authorization.k8s.io."

    @Test(
        "among subprotocols",
        arguments: [
            Row("none", [], Separated(token: nil, subprotocols: [])),
            Row("no token", ["a", "b"], Separated(token: nil, subprotocols: ["a", "b"])),
            Row(
                "behind its label", ["chat", "bearer", "t0k.en", "b"],
                Separated(token: "t0k.en", subprotocols: ["chat", "bearer", "b"])),
            Row("any case", ["Bearer", "t"], Separated(token: "t", subprotocols: ["Bearer"])),
            Row("the label alone", ["bearer"], Separated(token: nil, subprotocols: ["bearer"])),
            Row(
                "as in Kubernetes", [kubernetes + "bXkgdG9rZW4_Pz8-", "v4"],
                Separated(token: "my token???>", subprotocols: ["v4"])),
            Row(
                "and without padding", ["v4", kubernetes + "YQ"],
                Separated(token: "a", subprotocols: ["v4"])),
            Row(
                "what is no base64url is no token, and no subprotocol either",
                [kubernetes + "a.b", "v4"], Separated(token: nil, subprotocols: ["v4"])),
            Row(
                "nor what is no UTF-8", [kubernetes + "_w"],
                Separated(token: nil, subprotocols: [])),
            Row(
                "the first of several; none of them is a subprotocol",
                [kubernetes + "YQ", "v4", "bearer", "b", kubernetes + "Yw"],
                Separated(token: "a", subprotocols: ["v4", "bearer"])),
            Row("nor nothing", [kubernetes], Separated(token: nil, subprotocols: [])),
        ])
    func offers(_ row: Row<[String], Separated>) {
        let (token, subprotocols) = BearerToken.separated(from: row.input)
        #expect(token == row.expected.token)
        #expect(subprotocols == row.expected.subprotocols)
    }
}
