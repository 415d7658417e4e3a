import Foundation
import Testing
import WebSocketHost
import WebSocketHostJSON

struct Address: Codable, Equatable {
    var street: String
    var zip: Int8
}

struct User: Codable, Equatable {
    enum Role: String, Codable { case admin, guest }

    var name: String
    var role: Role
    var addresses: [Address]
    var nickname: String?
    var scores: [String: Double] = [:]
}

struct Order: Codable, Equatable { var user: User }

enum Command: Codable, Equatable {
    case move(x: Int, y: Int)
    case stop
}

class Animal: Codable {
    var legs = 4
}

final class Dog: Animal {
    var name = "Rex"
    enum CodingKeys: CodingKey { case name }

    override init() { super.init() }
    required init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        name = try container.decode(String.self, forKey: .name)
        try super.init(from: container.superDecoder())
    }
    override func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try super.encode(to: container.superEncoder())
        try container.encode(name, forKey: .name)
    }
}

/// Takes what it can of a list, as some authors do.
struct Lossy: Decodable {
    var numbers: [Int] = []

    private struct Anything: Decodable {}

    init(from decoder: any Decoder) throws {
        var container = try decoder.unkeyedContainer()
        while !container.isAtEnd {
            if let number = try? container.decode(Int.self) {
                numbers.append(number)
            } else {
                _ = try container.decode(Anything.self)
            }
        }
    }
}

extension JSONDecoder: MessageDecoder {}
extension JSONEncoder: MessageEncoder {}

@Suite("From JSON to values")
struct JSONDecodingTests {
    private func decode<Value: Decodable>(_ text: String) throws -> Value {
        try Message.text(text).decode()
    }

    @Test("Structures, lists, dictionaries, optionals, enums and subclasses")
    func shapes() throws {
        let order: Order = try decode(
            """
            {"other": [{"a": {}}], "user": {"role": "admin", "name": "Ada",
             "scores": {"é": 1, "b": 0.5},
             "addresses": [{"street": "A", "zip": 1}, {"zip": -2, "street": "B"}]}}
            """)
        let addresses = [Address(street: "A", zip: 1), Address(street: "B", zip: -2)]
        #expect(
            order.user
                == User(
                    name: "Ada", role: .admin, addresses: addresses, scores: ["é": 1, "b": 0.5]))
        #expect(try decode("{\"move\":{\"x\":1,\"y\":2}}") == Command.move(x: 1, y: 2))
        #expect(try decode("{\"stop\":{}}") == Command.stop)
        #expect(try decode("[[1],[],[2,3]]") == [[1], [], [2, 3]])
        #expect(try decode("[1,null,3]") == [1, nil, 3])
        #expect(try decode("null") == Int?.none)
        let dog: Dog = try decode("{\"name\":\"Rex\",\"super\":{\"legs\":3}}")
        #expect(dog.legs == 3)
        let lossy: Lossy = try decode("[1,\"a\",2,{},[3],4]")
        #expect(lossy.numbers == [1, 2, 4])
    }

    @Test("Numbers are read exactly, or refused")
    func numbers() throws {
        #expect(try decode("9223372036854775807") == Int.max)
        #expect(try decode("-9223372036854775808") == Int.min)
        #expect(try decode("18446744073709551615") == UInt64.max)
        #expect(try decode("\(UInt128.max)") == UInt128.max)
        #expect(try decode("1.0") == 1)
        #expect(try decode("1e3") == UInt16(1_000))
        #expect(try decode("-0") == 0)
        #expect(try decode("3.4028235e38") == Float.greatestFiniteMagnitude)
        let long: Double = try decode("12345678901234567890123456789")
        #expect(long == 1.2345678901234568e28)
        var random = SystemRandomNumberGenerator()
        for _ in 0..<2_000 {
            let value = Double(bitPattern: random.next())
            guard value.isFinite else { continue }
            #expect(try decode("\(value)") == value)
            let short = Double(Int64.random(in: -999_999_999...999_999_999)) / 1_000
            #expect(try decode("\(short)") == short)
        }
    }

    /// Text, type, and the error.
    static let mismatches: [(String, any (Decodable & Sendable).Type, String)] = [
        ("{}", Order.self, ".user (byte 0): expected a value, found nothing"),
        ("[]", Order.self, ". (byte 0): expected an object, found an array"),
        ("{\"user\":3}", Order.self, ".user (byte 8): expected an object, found the number 3"),
        ("{\"user\":null}", Order.self, ".user (byte 8): expected an object, found null"),
        (
            #"{"user":{"name":"Ada","role":"guest","#
                + #""addresses":[{"street":"A","zip":1},{"street":7}]}}"#,
            Order.self, ".user.addresses[1].street (byte 83): expected a string, found the number 7"
        ),
        (
            #"{"user":{"name":"Ada","role":"guest","addresses":[{"street":"A","zip":300}]}}"#,
            Order.self,
            ".user.addresses[0].zip (byte 70): expected a whole number from -128 to 127, "
                + "found the number 300"
        ),
        (
            #"{"street":"A","zip":"1"}"#, Address.self,
            ".zip (byte 20): expected a whole number, found a string"
        ),
        (
            "1.5", Int.self,
            ". (byte 0): expected a whole number from \(Int.min) to \(Int.max), "
                + "found the number 1.5"
        ),
        (
            "-1", UInt.self,
            ". (byte 0): expected a whole number from 0 to \(UInt.max), found the number -1"
        ),
        (
            "1e99", Int.self,
            ". (byte 0): expected a whole number from \(Int.min) to \(Int.max), "
                + "found the number 1e99"
        ),
        (
            "9223372036854775808", Int.self,
            ". (byte 0): expected a whole number from \(Int.min) to \(Int.max), "
                + "found the number 9223372036854775808"
        ),
        (
            "1e400", Double.self,
            ". (byte 0): expected a number up to 1.7976931348623157e+308, found the number 1e400"
        ),
        ("[true,1]", [Bool].self, "[1] (byte 6): expected true or false, found the number 1"),
        (
            "{\"a\":{\"b\":\"x\"}}", [String: [String: Double]].self,
            ".a.b (byte 10): expected a number, found a string"
        ),
        ("[1]", [String].self, "[0] (byte 1): expected a string, found the number 1"),
        ("true", [Int].self, ". (byte 0): expected an array, found true"),
        (
            "\"blue\"", User.Role.self,
            ".: expected another value, found Cannot initialize Role from invalid String value blue"
        ),
    ]

    @Test("JSON of another shape: path, place, expected and found", arguments: mismatches.indices)
    func mismatch(row: Int) throws {
        let (text, type, words) = Self.mismatches[row]
        let error = try #require(throws: JSONError.self) { try Message.text(text).decode(type) }
        #expect("\(error)" == words)
        #expect(error.problem == .mismatch)
        #expect(error.close.code == .unsupportedData)
        #expect(error.close.reason.utf8.count <= Close.reasonByteLimit)
    }

    @Test(
        "What a type of the author's throws by itself is passed on, a DecodingError with its path")
    func ownErrors() throws {
        struct Odd: Error, Equatable {}
        struct Picky: Decodable {
            init(from decoder: any Decoder) throws { throw Odd() }
        }
        struct Checked: Decodable {
            init(from decoder: any Decoder) throws {
                let container = try decoder.singleValueContainer()
                guard try container.decode(Int.self) % 2 == 0 else {
                    throw DecodingError.dataCorruptedError(
                        in: container, debugDescription: "it is odd")
                }
            }
        }
        #expect(throws: Odd()) { try Message.text("1").decode(Picky.self) }
        let error = try #require(throws: JSONError.self) {
            try Message.text("{\"a\":[2,3]}").decode([String: [Checked]].self)
        }
        #expect("\(error)" == ".a[1]: expected another value, found it is odd")
    }

    @Test("Foundation's decoder, where a file says that it is one")
    func foundation() throws {
        struct Event: Codable, Equatable { var at: Date }
        let decoder = JSONDecoder()
        decoder.dateDecodingStrategy = .secondsSince1970
        #expect(
            try Message.text("{\"at\":7}").decode(Event.self, decoder: decoder)
                == Event(at: Date(timeIntervalSince1970: 7)))
        let error = try #require(throws: JSONError.self) {
            try Message.text("[{\"at\":\"x\"}]").decode([Event].self, decoder: decoder)
        }
        #expect(error.path == "[0].at" && error.problem == .mismatch)
        let encoder = JSONEncoder()
        encoder.dateEncodingStrategy = .secondsSince1970
        #expect(
            try Message.json(Event(at: Date(timeIntervalSince1970: 7)), encoder: encoder)
                == .text("{\"at\":7}"))
        #expect(throws: JSONError.self) { try Message.json([Double.nan], encoder: encoder) }
    }

    @Test("Without that, dates, URLs and bytes go as they encode themselves")
    func foundationTypes() throws {
        let id = UUID()
        #expect(try Message.json([id]).decode([UUID].self) == [id])
        #expect(try Message.json(Data([1, 2])) == .text("[1,2]"))
        #expect(try Message.json(Date(timeIntervalSinceReferenceDate: 1.5)) == .text("1.5"))
    }
}

@Suite("Any JSON as a value")
struct JSONValueTests {
    static let text = #"{"a":[1,-0.5,true,null,"é"],"b":{"c":{}}}"#
    static let value: JSONValue = ["a": [1, -0.5, true, nil, "é"], "b": ["c": [:]]]

    @Test("By the module's decoder, and by another one")
    func decodes() throws {
        #expect(try Message.text(Self.text).decode(JSONValue.self) == Self.value)
        #expect(
            try Message.text(Self.text).decode(JSONValue.self, decoder: JSONDecoder())
                == Self.value)
        #expect(try Message.json(Self.value).decode(JSONValue.self) == Self.value)
    }

    @Test("Parts of it, which may be missing")
    func parts() throws {
        #expect(Self.value["a"][4] == "é")
        #expect(Self.value["a"][5] == .null)
        #expect(Self.value["x"]["y"] == .null)
        #expect(Self.value["a"]["y"] == .null)
        #expect(Self.value[0] == .null)
        let user: JSONValue = ["street": "A", "zip": 1]
        #expect(try user.decode(Address.self) == Address(street: "A", zip: 1))
        let error = #expect(throws: JSONError.self) { try user["street"].decode(Int.self) }
        #expect(error?.path == "." && error?.found == "a string")
    }
}
