import HTTPProtocol
import TestSupport
import Testing

@Suite("RFC 9110 §5 Fields")
struct FieldsTests {
    @Test func namesIgnoreCaseAndKeepIt() throws {
        var fields = Fields()
        try fields.append("Set-Cookie", "a=1")
        try fields.append("X", "y")
        try fields.append("set-cookie", "b=2")
        #expect(fields["SET-COOKIE"] == "a=1, b=2")
        #expect(fields.values(of: "Set-cookie") == ["a=1", "b=2"])
        #expect(fields.map(\.name) == ["Set-Cookie", "X", "set-cookie"])
        #expect(fields.count == 3 && !fields.isEmpty)
        #expect(fields.contains("x") && !fields.contains("z"))
        #expect(fields["z"] == nil)
    }

    @Test func theFirstOfSeveralLines() throws {
        var fields: Fields = ["A": "1", "B": "", "a": "2"]
        #expect(try #require(fields.firstValue(of: "a")) == ("1", 2))
        #expect(try #require(fields.firstValue(of: "b")) == ("", 1))
        #expect(fields.firstValue(of: "c") == nil)
        fields.remove("A")
        #expect(fields.firstValue(of: "A") == nil)
    }

    @Test func asTheyAreSent() throws {
        var fields: Fields = ["A": "b", "Empty": ""]
        try fields.append("Long-Name-Of-A-Field", String(repeating: "é", count: 100))
        var writer = HeadWriter(.notFound, byteCount: 0)
        writer.append(lines: "First: 1\r\nSecond: ") { $0.append(contentsOf: "2".utf8) }
        writer.append(fields)
        writer.append(Fields())
        writer.append("Made", "yes")
        #expect(
            String(decoding: writer.finish(), as: UTF8.self)
                == "HTTP/1.1 404 Not Found\r\nFirst: 1\r\nSecond: 2\r\nA: b\r\nEmpty: \r\n"
                + "Long-Name-Of-A-Field: " + String(repeating: "é", count: 100)
                + "\r\nMade: yes\r\n\r\n")
    }

    @Test func setAndRemove() throws {
        var fields: Fields = ["A": "1", "B": "2", "a": "3"]
        try fields.set("A", "4")
        #expect(fields.map { "\($0.name)=\($0.value)" } == ["B=2", "A=4"])
        #expect(throws: FieldError.invalidValue(name: "B", value: "\n")) {
            try fields.set("B", "\n")
        }
        #expect(fields["B"] == "2")
        fields.remove("b")
        #expect(fields.map(\.name) == ["A"])
    }

    @Test func equality() {
        #expect(["A": "b"] as Fields == ["a": "b"])
        #expect(["A": "b"] as Fields != ["A": "B"])
        #expect(Set<Fields>([["A": "b"], ["a": "b"]]).count == 1)
    }

    static let injections: [Row<(String, String), FieldError?>] = [
        Row("plain", ("A", "b"), nil),
        Row("tab and UTF-8", ("A", "b\té"), nil),
        Row("CR LF", ("A", "b\r\nC: d"), .invalidValue(name: "A", value: "b\r\nC: d")),
        Row("CR", ("A", "b\r"), .invalidValue(name: "A", value: "b\r")),
        Row("LF", ("A", "b\n"), .invalidValue(name: "A", value: "b\n")),
        Row("NUL", ("A", "\0"), .invalidValue(name: "A", value: "\0")),
        Row("DEL", ("A", "\u{7F}"), .invalidValue(name: "A", value: "\u{7F}")),
        Row("empty name", ("", "b"), .invalidName("")),
        Row("colon in the name", ("A:", "b"), .invalidName("A:")),
        Row("space in the name", ("A b", "b"), .invalidName("A b")),
        Row("CR LF in the name", ("A\r\nB", "b"), .invalidName("A\r\nB")),
        Row("non-ASCII name", ("É", "b"), .invalidName("É")),
    ]

    @Test(arguments: injections)
    func nothingIsInjected(_ row: Row<(String, String), FieldError?>) {
        var fields = Fields()
        do throws(FieldError) {
            try fields.append(row.input.0, row.input.1)
            #expect(row.expected == nil)
            #expect(fields[row.input.0] == row.input.1)
        } catch {
            #expect(error == row.expected)
            #expect(fields.isEmpty)
        }
    }

    @Test func valuesAreTrimmed() throws {
        var fields = Fields()
        try fields.append("A", " \tb c ")
        #expect(fields["A"] == "b c")
    }

    @Test(arguments: [
        Row("alone", "Upgrade", true), Row("in a list", "keep-alive, UPGRADE", true),
        Row("part of a word", "upgraded", false), Row("in quotes", "\"a, upgrade, b\"", false),
        Row("open quote", "upgrade, \"", false),
    ])
    func listElements(_ row: Row<String, Bool>) throws {
        var fields: Fields = ["Connection": "te"]
        try fields.append("connection", row.input)
        #expect(fields.hasElement("upgrade", in: "Connection") == row.expected)
    }
}

@Suite("RFC 9110 §5.6 Grammar of values")
struct HeaderGrammarTests {
    @Test func tokens() {
        #expect(HeaderGrammar.isToken("!#$%&'*+-.^_`|~09azAZ"))
        for text in ["", "a b", "a,b", "a;b", "a=b", "\"a\"", "é", "a/b", "(", "\t", "a\0"] {
            #expect(!HeaderGrammar.isToken(text), "\(text)")
        }
    }

    static let listRows: [Row<String, [String]?>] = [
        Row("plain", "a, b,c", ["a", "b", "c"]),
        Row("empty elements", " ,a,, ,b,", ["a", "b"]),
        Row("nothing", "", []),
        Row("quoted comma", "a=\"b,c\", d", ["a=\"b,c\"", "d"]),
        Row("escaped quote", "\"a\\\",b\",c", ["\"a\\\",b\"", "c"]),
        Row("backslash outside of quotes", "a\\,b", ["a\\", "b"]),
        Row("open quote", "a, \"b", nil),
        Row("escape at the end", "\"a\\", nil),
    ]

    @Test(arguments: listRows)
    func lists(_ row: Row<String, [String]?>) {
        #expect(HeaderGrammar.elements(of: row.input) == row.expected)
    }

    static let parameterized: [Row<String, [ParameterizedElement]?>] = [
        Row("name", "a", [.init(name: "a")]),
        Row("keys", "a;b;c=d", [.init(name: "a", parameters: [.init("b"), .init("c", "d")])]),
        Row(
            "quoted", "a; b=\"c \\\" , ;d\", e",
            [.init(name: "a", parameters: [.init("b", "c \" , ;d")]), .init(name: "e")]),
        Row("white space", " a ; b = c ,", [.init(name: "a", parameters: [.init("b", "c")])]),
        Row("empty value in quotes", "a;b=\"\"", [.init(name: "a", parameters: [.init("b", "")])]),
        Row("nothing", " , ", []),
        Row("no key", "a;", nil),
        Row("no value", "a;b=", nil),
        Row("no name", ";a", nil),
        Row("two words", "a b", nil),
        Row("open quote", "a;b=\"c", nil),
        Row("text after the quotes", "a;b=\"c\"d", nil),
    ]

    @Test(arguments: parameterized)
    func parameters(_ row: Row<String, [ParameterizedElement]?>) {
        #expect(HeaderGrammar.parameterizedElements(of: row.input) == row.expected)
    }
}

@Suite("RFC 6265 §5.4 Cookies")
struct CookiesTests {
    @Test func firstOneWins() throws {
        var fields: Fields = ["Cookie": "a=1; b=2;a=3; c=\"x=y\";d=;e; =f ;  g = h i "]
        try fields.append("cookie", "b=4; j=5")
        let cookies = Cookies(fields)
        #expect(cookies["a"] == "1")
        #expect(cookies["b"] == "2")
        #expect(cookies["c"] == "\"x=y\"")
        #expect(cookies["d"] == "")
        #expect(cookies["e"] == nil)
        #expect(cookies["g"] == "h i")
        #expect(cookies["j"] == "5")
        #expect(cookies["A"] == nil)
        #expect(Cookies(Fields()).isEmpty)
    }
}
