import Testing
import WebSocketHost
import WebSocketHostJSON

@Suite("From values to JSON")
struct JSONEncodingTests {
    private func text(_ value: some Encodable) throws -> String {
        guard case .text(let text) = try Message.json(value) else { return "binary" }
        return text
    }

    @Test("Scalars, in their shortest form")
    func scalars() throws {
        #expect(try text(Int?.none) == "null")
        #expect(try text(true) == "true")
        #expect(try text(Int.min) == "-9223372036854775808")
        #expect(try text(UInt128.max) == "\(UInt128.max)")
        #expect(
            try text([1, 0.1, -2.5, 1e21, .leastNonzeroMagnitude]) == "[1,0.1,-2.5,1e+21,5e-324]")
        #expect(try text([Float(0.1)]) == "[0.1]")
        #expect(try text("grüße 🌍 / \"\\") == #""grüße 🌍 / \"\\""#)
        #expect(
            try text("\0\u{1}\u{8}\t\n\u{c}\r\u{1f}\u{7f}")
                == "\"\\u0000\\u0001\\b\\t\\n\\f\\r\\u001f\u{7f}\"")
    }

    @Test("Structures, enums and subclasses, members in their own order")
    func shapes() throws {
        let user = User(
            name: "Ada", role: .guest, addresses: [Address(street: "A", zip: 1)], scores: ["b": 1])
        #expect(
            try text(Order(user: user))
                == #"{"user":{"name":"Ada","role":"guest","#
                + #""addresses":[{"street":"A","zip":1}],"scores":{"b":1}}}"#
        )
        #expect(
            try text([Command.move(x: 1, y: 2), .stop]) == #"[{"move":{"x":1,"y":2}},{"stop":{}}]"#)
        #expect(try text(Dog()) == #"{"super":{"legs":4},"name":"Rex"}"#)
        #expect(try text([[Int]]()) == "[]")
        #expect(try text([String: Int]()) == "{}")
        #expect(try text([1, nil, 3]) == "[1,null,3]")
        struct Nothing: Encodable { func encode(to encoder: any Encoder) {} }
        #expect(try text([Nothing()]) == "[{}]")
    }

    @Test("What is written is read as the same")
    func roundTrip() throws {
        let user = User(
            name: "\"Ada\"\n", role: .admin,
            addresses: (0..<40).map { Address(street: "\($0)", zip: Int8($0)) }, nickname: "é",
            scores: Dictionary(uniqueKeysWithValues: (0..<40).map { ("\($0)", Double($0) / 7) }))
        #expect(try Message.json(user).decode(User.self) == user)
        let dog = try Message.json(Dog()).decode(Dog.self)
        #expect(dog.legs == 4)
    }

    @Test(
        "Numbers that are not finite have no form", arguments: [Double.nan, .infinity, -.infinity])
    func notFinite(number: Double) throws {
        struct Price: Encodable { var values: [Double] }
        let error = try #require(throws: JSONError.self) {
            try text(Price(values: [1, number]))
        }
        #expect("\(error)" == ".values[1]: expected a number that JSON has, found \(number)")
        #expect(error.problem == .notEncodable)
        #expect(error.close == Close(.internalError))
        #expect(throws: JSONError.self) { try text(number) }
        #expect(throws: JSONError.self) { try text(Float(number)) }
        #expect(throws: JSONError.self) { try text(["a": Float(number)]) }
    }

    final class Chain: Codable {
        var next: [Chain]
        init(_ next: [Chain]) { self.next = next }
    }

    @Test("As deep as can be read, and no deeper")
    func depth() throws {
        var chain = Chain([])
        for _ in 0..<63 { chain = Chain([chain]) }
        let message = try Message.json(chain)
        #expect(throws: Never.self) { try message.decode(Chain.self) }
        for _ in 0..<1_000 { chain = Chain([chain]) }
        let error = try #require(throws: JSONError.self) { try Message.json(chain) }
        #expect(error.problem == .notEncodable)
        // One by one: else each frees the next one, deep on the stack.
        while let next = chain.next.popLast() { chain = next }
    }
}
