import HTTPProtocol
import TestSupport
import Testing

@Suite("Below a path")
struct BasePathTests {
    static let rests: [Row<(base: String, path: String), String?>] = [
        Row("a route", ("/x", "/x/echo"), "/echo"),
        Row("the root", ("/x", "/x/"), "/"),
        Row("the base itself", ("/x", "/x"), ""),
        Row("given with a slash", ("/x/", "/x/echo"), "/echo"),
        Row("two segments", ("/a/b", "/a/b/c/d"), "/c/d"),
        Row("half of two", ("/a/b", "/a"), nil),
        Row("another second one", ("/a/b", "/a/c/b"), nil),
        Row("what only begins like it", ("/x", "/xy/echo"), nil),
        Row("elsewhere", ("/x", "/echo"), nil),
        Row("the root of all", ("/x", "/"), nil),
        Row("another case", ("/x", "/X/echo"), nil),
        Row("encoded", ("/x", "/%78/echo"), "/echo"),
        Row("what follows stays encoded", ("/x", "/x/%2Fecho"), "/%2Fecho"),
        Row("an encoded slash separates nothing", ("/x", "/x%2Fecho"), nil),
        Row("nor inside of it", ("/a/b", "/a%2Fb/c"), nil),
        Row("an empty segment before it", ("/x", "//x/echo"), nil),
        Row("an empty segment behind it", ("/x", "/x//echo"), "//echo"),
        Row("dots lead nowhere", ("/x", "/a/../x/echo"), nil),
        Row("other scripts", ("/näh", "/n%C3%A4h/echo"), "/echo"),
        Row("an asterisk", ("/x", "*"), nil),
        Row("nothing", ("/x", ""), nil),
    ]

    @Test("what stands below it", arguments: rests)
    func rest(_ row: Row<(base: String, path: String), String?>) throws {
        let base = try #require(BasePath(row.input.base))
        #expect(base.rest(of: row.input.path) == row.expected)
    }

    @Test("is written without a slash at the end, and encoded in URLs")
    func text() {
        #expect(BasePath("/a/b/")?.description == "/a/b")
        #expect(BasePath("/näh")?.urlPath == "/n%C3%A4h")
    }

    @Test(
        "is no path",
        arguments: [
            "", "/", "x", "x/", "//", "/x//", "/a//b", "/.", "/..", "/a/../b", "/a?b", "/a#b",
            "/a%20b", "/a b", "/a\\b", "/a\nb", "/a\0", "/" + String(repeating: "x", count: 200),
        ])
    func invalid(_ text: String) { #expect(BasePath(text) == nil) }
}
