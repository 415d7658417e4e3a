import HTTPProtocol
import Testing
import WebSocketProtocol

@Suite("RFC 6455 §9.1 Extensions")
struct ExtensionsTests {
    /// Name, value of the field, and how it is written again; `nil` if it is refused.
    static let rows: [(String, String, String?)] = [
        ("name", "foo", "foo"),
        ("list", "foo, bar; baz=2", "foo, bar; baz=2"),
        (
            "parameter without a value", "permessage-deflate; client_max_window_bits",
            "permessage-deflate; client_max_window_bits"
        ),
        (
            "quoted", "permessage-deflate;server_max_window_bits=\"10\"",
            "permessage-deflate; server_max_window_bits=10"
        ),
        ("quoted and escaped", "a; b=\"\\c\"", "a; b=c"),
        ("white space", " a ;b = c\t, d ", "a; b=c, d"),
        ("empty elements", ", a,, b,", "a, b"),
        ("parameter twice", "a; b=1; b=2", "a; b=1; b=2"),
        ("the same twice", "a; b, a", "a; b, a"),
        ("empty", "", nil),
        ("only commas", " , ", nil),
        ("quoted value is no token", "a; b=\"c d\"", nil),
        ("quoted value is empty", "a; b=\"\"", nil),
        ("open quote", "a; b=\"c", nil),
        ("no parameter", "a;", nil),
        ("no value", "a; b=", nil),
        ("no name", "; b", nil),
        ("two names", "a b", nil),
        ("quoted name", "\"a\"", nil),
        ("name with a value", "a=b", nil),
    ]

    @Test(arguments: rows)
    func roundTrip(_ name: String, _ value: String, _ written: String?) {
        let parsed = ExtensionOffer.parse(value)
        #expect(parsed.map(ExtensionOffer.serialize) == written, "\(name)")
        if let parsed, let written {
            #expect(ExtensionOffer.parse(written) == parsed, "\(name)")
        }
    }

    @Test func parts() throws {
        let offers = try #require(ExtensionOffer.parse("x, deflate; a; b=10"))
        #expect(
            offers == [
                ExtensionOffer("x"),
                ExtensionOffer("deflate", parameters: [.init("a"), .init("b", "10")]),
            ])
    }
}
