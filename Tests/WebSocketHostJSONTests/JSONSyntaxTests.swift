import Testing
import WebSocketHost
import WebSocketHostJSON

/// Any value, for tests of the syntax alone.
enum Value: Decodable, Equatable {
    case null
    case bool(Bool)
    case number(Double)
    case text(String)
    case array([Value])
    case object([String: Value])

    init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if container.decodeNil() {
            self = .null
        } else if let value = try? container.decode(Bool.self) {
            self = .bool(value)
        } else if let value = try? container.decode(Double.self) {
            self = .number(value)
        } else if let value = try? container.decode(String.self) {
            self = .text(value)
        } else if let value = try? container.decode([Value].self) {
            self = .array(value)
        } else {
            self = .object(try container.decode([String: Value].self))
        }
    }
}

/// Text that is no JSON: where, what was expected, what was found.
struct Refused: Sendable, CustomTestStringConvertible {
    let text: String
    let offset: Int
    let expected: String
    let found: String
    var problem = JSONError.Problem.syntax

    init(
        _ text: String, _ offset: Int, _ expected: String, _ found: String = "",
        _ problem: JSONError.Problem = .syntax
    ) {
        (self.text, self.offset, self.expected, self.found) = (text, offset, expected, found)
        self.problem = problem
    }

    var testDescription: String { "\(text.prefix(30))" }
}

@Suite("RFC 8259: what is JSON, and what is not")
struct JSONSyntaxTests {
    @Test(
        "Read",
        arguments: [
            ("null", .null), (" true\n", .bool(true)), ("false", .bool(false)), ("0", .number(0)),
            ("-0", .number(0)), ("12.50", .number(12.5)), ("1e3", .number(1_000)),
            ("1E+2", .number(100)), ("25e-1", .number(2.5)), ("1e-400", .number(0)),
            ("123456789012345680", .number(123_456_789_012_345_680)),
            ("0.1", .number(0.1)), ("1.7976931348623157e308", .number(.greatestFiniteMagnitude)),
            (#""""#, .text("")), (#""grüße 🌍""#, .text("grüße 🌍")),
            (#""\"\\\/\b\f\n\r\t""#, .text("\"\\/\u{8}\u{c}\n\r\t")),
            (#""\u00e9\uD83C\uDf0d\u0000""#, .text("é🌍\0")), ("[]", .array([])),
            ("{}", .object([:])),
            ("[1,[2],{}]", .array([.number(1), .array([.number(2)]), .object([:])])),
            (
                "\t{ \"a\" : 1 , \"\\u0062\" : [ ] }\r\n",
                .object(["a": .number(1), "b": .array([])])
            ),
        ] as [(String, Value)])
    func read(text: String, value: Value) throws {
        #expect(try Message.text(text).decode(Value.self) == value)
        #expect(try Message.binary(Array(text.utf8)).decode(Value.self) == value)
    }

    static let refused: [Refused] = [
        Refused("", 0, "a value", "the end"), Refused("  ", 2, "a value", "the end"),
        Refused("\u{FEFF}1", 0, "a value", "a byte order mark"),
        Refused("1 2", 2, "nothing behind the value", "'2'"),
        Refused("{}x", 2, "nothing behind the value", "'x'"),
        Refused("NaN", 0, "a value", "'N'"), Refused("Infinity", 0, "a value", "'I'"),
        Refused("-Infinity", 1, "a digit", "'I'"), Refused("nan", 1, "'null'", "'a'"),
        Refused("01", 1, "nothing behind the value", "'1'"), Refused("+1", 0, "a value", "'+'"),
        Refused(".5", 0, "a value", "'.'"), Refused("1.", 2, "a digit", "the end"),
        Refused("1e", 2, "a digit", "the end"),
        Refused("0x10", 1, "nothing behind the value", "'x'"),
        Refused("-", 1, "a digit", "the end"), Refused("True", 0, "a value", "'T'"),
        Refused("'a'", 0, "a value", "'''"), Refused("[1,]", 3, "a value", "']'"),
        Refused("[1 2]", 3, "',' or ']'", "'2'"), Refused("[1}", 2, "',' or ']'", "'}'"),
        Refused("{\"a\":1]", 6, "',' or '}'", "']'"),
        Refused("{\"a\":1,}", 7, "a key in quotation marks", "'}'"),
        Refused("{a:1}", 1, "a key in quotation marks", "'a'"),
        Refused("{1:1}", 1, "a key in quotation marks", "'1'"),
        Refused("{\"a\" 1}", 5, "':' behind a key", "'1'"),
        Refused("{\"a\":}", 5, "a value", "'}'"),
        Refused("{,}", 1, "a key in quotation marks", "','"),
        Refused("// a\n1", 0, "a value", "'/'"), Refused("\"a\nb\"", 2, "an escape", "byte 0x0a"),
        Refused("\"a", 2, "'\"' at the end of a string", "the end"),
        Refused(#""\x41""#, 2, "one of \"\\/bfnrtu behind '\\'", "'x'"),
        Refused(#""\u12g4""#, 3, "four hexadecimal digits behind '\\u'", "'1'"),
        Refused(#""\ud800""#, 1, "a character", "one half of a pair of surrogates"),
        Refused(#""a\udc00""#, 2, "a character", "one half of a pair of surrogates"),
        Refused(#""\ud800\u0041""#, 1, "a character", "one half of a pair of surrogates"),
        Refused(#""\ud800\n""#, 1, "a character", "one half of a pair of surrogates"),
        Refused("\0", 0, "a value", "byte 0x00"), Refused("é", 0, "a value", "byte 0xc3"),
        Refused("{\"a\":1,\"a\":2}", 7, "each key once", "\"a\" again", .duplicateKey),
        Refused(#"{"a":1,"b":{},"\u0061":2}"#, 14, "each key once", "\"a\" again", .duplicateKey),
        Refused(
            "{" + (0..<20).map { "\"\($0)\":0," }.joined() + "\"7\":1}", 131, "each key once",
            "\"7\" again", .duplicateKey),
    ]

    @Test("Refused, with the place and the reason", arguments: refused)
    func refuses(row: Refused) throws {
        for message in [Message.text(row.text), .binary(Array(row.text.utf8))] {
            let error = try #require(throws: JSONError.self) { try message.decode(Value.self) }
            #expect(
                error
                    == JSONError(
                        row.problem, offset: row.offset, expected: row.expected, found: row.found))
            #expect(error.close.code == .invalidFramePayloadData)
            #expect(error.close.reason == "\(error)")
        }
    }

    @Test("Keys that only look the same are two")
    func keysAreBytes() throws {
        let text = "{\"\u{e9}\":1,\"e\u{301}\":2}"
        #expect(throws: Never.self) { try Message.text(text).decode(Value.self) }
    }

    @Test("Cut anywhere, it is refused and not misread")
    func everyCut() throws {
        let text = #"{"a":[1.5e+3,true,null,"\u00e9\ud83c\udf0d"],"b":{"c":-0}}"#
        #expect(throws: Never.self) { try Message.text(text).decode(Value.self) }
        let bytes = Array(text.utf8)
        for length in bytes.indices {
            let error = #expect(throws: JSONError.self) {
                try Message.binary(Array(bytes[..<length])).decode(Value.self)
            }
            #expect(error?.problem == .syntax)
            #expect(error?.offset.map { (0...length).contains($0) } == true)
        }
    }

    @Test(
        "Binary messages have to be UTF-8",
        arguments: [
            ([0x22, 0xFF, 0x22], 1), ([0x22, 0xC3, 0x22], 1), ([0x22, 0xED, 0xA0, 0x80, 0x22], 1),
            ([0x31, 0x00, 0xFF], 2), ([0xFF, 0xFE, 0x31, 0x00], 0),
        ] as [([UInt8], Int)])
    func invalidUTF8(bytes: [UInt8], offset: Int) throws {
        let error = try #require(throws: JSONError.self) {
            try Message.binary(bytes).decode(Value.self)
        }
        #expect(error.problem == .syntax)
        #expect(error.offset == offset)
        #expect(error.expected == "UTF-8")
    }

    @Test("UTF-16 is no JSON between programs (RFC 8259 §8.1)")
    func utf16() throws {
        let error = try #require(throws: JSONError.self) {
            try Message.binary([0x31, 0x00]).decode(Value.self)
        }
        #expect(error.found == "byte 0x00")
    }

    @Test("Of all single bytes only the ten digits are JSON")
    func singleBytes() {
        let good = (UInt8.min...UInt8.max).filter {
            (try? Message.binary([$0]).decode(Value.self)) != nil
        }
        #expect(good == Array("0123456789".utf8))
    }
}

@Suite("Deep and long JSON")
struct JSONLimitTests {
    private func nested(_ depth: Int) -> String {
        String(repeating: "[", count: depth) + String(repeating: "]", count: depth)
    }

    @Test("As deep as the limit is read, deeper is refused")
    func depth() throws {
        #expect(throws: Never.self) {
            try Message.text(nested(JSONError.depthLimit)).decode(Value.self)
        }
        let error = try #require(throws: JSONError.self) {
            try Message.text(nested(JSONError.depthLimit + 1)).decode(Value.self)
        }
        #expect(error.problem == .tooDeep)
        #expect(error.offset == JSONError.depthLimit)
        #expect(error.close.code == .invalidFramePayloadData)
    }

    @Test("A million brackets end at the limit", arguments: ["[", "{\"a\":", "[{\"a\":"])
    func brackets(opening: String) throws {
        let text = String(repeating: opening, count: 1_000_000 / opening.utf8.count)
        let error = try #require(throws: JSONError.self) {
            try Message.text(text).decode(Value.self)
        }
        #expect(error.problem == .tooDeep)
    }

    @Test("Many keys, many elements and many digits take time that grows with their number")
    func long() throws {
        let keys = "{" + (0..<50_000).map { "\"key \($0)\":\($0)" }.joined(separator: ",") + "}"
        #expect(try Message.text(keys).decode([String: Int].self)["key 49999"] == 49_999)
        let elements = "[" + String(repeating: "1,", count: 200_000) + "1]"
        #expect(try Message.text(elements).decode([Int].self).count == 200_001)
        let digits = "1" + String(repeating: "0", count: 300_000)
        #expect(throws: JSONError.self) { try Message.text(digits).decode(Int.self) }
        #expect(throws: JSONError.self) { try Message.text(digits).decode(Double.self) }
        #expect(try Message.text("0." + digits).decode(Double.self) == 0.1)
        #expect(
            try Message.text("\"" + String(repeating: "\\n", count: 200_000) + "\"")
                .decode(String.self).utf8.count == 200_000)
    }
}
