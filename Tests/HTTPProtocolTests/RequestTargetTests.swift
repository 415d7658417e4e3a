import HTTPProtocol
import TestSupport
import Testing

@Suite("RFC 9112 §3.2 Request target")
struct RequestTargetTests {
    /// Scheme, authority, path, query, fragment.
    static let targets: [Row<String, [String?]>] = [
        Row("path", "/a/b", [nil, nil, "/a/b", nil, nil]),
        Row("root", "/", [nil, nil, "/", nil, nil]),
        Row("query", "/a?b=c?d", [nil, nil, "/a", "b=c?d", nil]),
        Row("empty query", "/a?", [nil, nil, "/a", "", nil]),
        Row("fragment", "/a#b", [nil, nil, "/a", nil, "b"]),
        Row("empty fragment", "/a#", [nil, nil, "/a", nil, ""]),
        Row("query in the fragment", "/a#b?c", [nil, nil, "/a", nil, "b?c"]),
        Row("query and fragment", "/a?b#c#d", [nil, nil, "/a", "b", "c#d"]),
        Row("not decoded", "/%65cho/../x", [nil, nil, "/%65cho/../x", nil, nil]),
        Row("two slashes", "//echo", [nil, nil, "//echo", nil, nil]),
        Row("URL in the path", "/http://a/", [nil, nil, "/http://a/", nil, nil]),
        Row("absolute", "ws://h:80/a?b#c", ["ws", "h:80", "/a", "b", "c"]),
        Row("absolute in capitals", "WSS://H/A", ["wss", "H", "/A", nil, nil]),
        Row("absolute without a path", "http://h", ["http", "h", "/", nil, nil]),
        Row("absolute with a query only", "https://h?a/b", ["https", "h", "/", "a/b", nil]),
    ]

    @Test(arguments: targets)
    func parts(_ row: Row<String, [String?]>) throws {
        let target = try #require(RequestTarget(row.input))
        let parts = [target.scheme, target.authority, target.path, target.query, target.fragment]
        #expect(parts == row.expected)
        #expect(target.raw == row.input)
    }

    @Test(arguments: [
        "", "*", "a", "?a", "#a", "host:80", "ftp://h/", "ws:/h", "ws:h", "ws://", "ws:///a",
        "ws://u@h/", "ws://h:x/", "ws://h:65536/", "ws://[::1/", "ws",
    ])
    func names(noResource target: String) {
        #expect(RequestTarget(target) == nil)
    }
}

@Suite("RFC 9110 §7.2 Authority")
struct AuthorityTests {
    @Test(arguments: [
        Row("host", "Example.COM", "example.com nil"),
        Row("port", "a:0", "a 0"),
        Row("largest port", "a:65535", "a 65535"),
        Row("port left empty", "a:", "a nil"),
        Row("IPv4", "127.0.0.1:80", "127.0.0.1 80"),
        Row("IPv6", "[::1]", "[::1] nil"),
        Row("IPv6 with a port", "[FE80::1]:8080", "[fe80::1] 8080"),
    ])
    func parts(_ row: Row<String, String>) throws {
        let authority = try #require(Authority(row.input))
        #expect("\(authority.host) \(authority.port?.description ?? "nil")" == row.expected)
    }

    @Test(arguments: [
        "", ":80", "[]", "[::1]80", "[::1", "::1", "a:b", "a:-1", "a:65536", "a b", "a/", "é",
        "a@b", "a:99999999999999999999", "[a b]", "a#",
    ])
    func refuses(_ text: String) {
        #expect(Authority(text) == nil)
    }
}

@Suite("RFC 3986 §2.1 Percent-encoding")
struct ResourcePathTests {
    @Test(arguments: [
        Row("nothing encoded", "/echo", "/echo"),
        Row("UTF-8", "/na%C3%AFve", "/naïve"),
        Row("small digits", "/%e2%9c%93", "/✓"),
        Row("plus stays", "/a+b", "/a+b"),
        Row("encoded percent once", "/%2541", "/%41"),
        Row("slash", "/..%2f", "/../"),
        Row("no digits", "/%", nil),
        Row("one digit", "/%4", nil),
        Row("not digits", "/%4g", nil),
        Row("sign", "/%+1", nil),
        Row("NUL", "/%00", nil),
        Row("not UTF-8", "/%FF", nil),
        Row("overlong", "/%C0%AF", nil),
        Row("surrogate", "/%ED%A0%80", nil),
    ])
    func decodes(_ row: Row<String, String?>) {
        #expect(ResourcePath.percentDecoded(row.input) == row.expected)
    }

    @Test(arguments: [
        Row("plain", "/a/b", false), Row("parent", "/a/../b", true), Row("here", "/./a", true),
        Row("at the end", "/a/..", true), Row("three dots", "/...", false),
        Row("dot file", "/.git", false), Row("dots inside", "/a..b", false),
    ])
    func dotSegments(_ row: Row<String, Bool>) {
        #expect(ResourcePath.hasDotSegments(row.input) == row.expected)
    }
}

@Suite("URL standard: form-urlencoded query")
struct QueryTests {
    @Test func items() {
        let query = Query("a=1&b=two+words&a=%C3%A9&c&&=d&e=f=g&%61b=%zz&h=%FF")
        #expect(query["a"] == "1")
        #expect(query.values(of: "a") == ["1", "é"])
        #expect(query["b"] == "two words")
        #expect(query["c"] == "")
        #expect(query[""] == "d")
        #expect(query["e"] == "f=g")
        #expect(query["ab"] == "%zz")
        #expect(query["h"] == "\u{FFFD}")
        #expect(query["x"] == nil)
        #expect(query.contains("c") && !query.contains("x"))
        #expect(query.items.count == 8)
        #expect(Query("").items.isEmpty)
    }

    @Test func limit() {
        let items = (0..<1_001).map { "k\($0)=v" }
        let query = Query(items.joined(separator: "&"))
        #expect(query.items.count == Query.itemCountLimit)
        #expect(query["k999"] == "v")
        #expect(query["k1000"] == nil)
    }
}
