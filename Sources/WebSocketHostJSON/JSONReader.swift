/// Where a value is, for messages: the keys that lead to it, the last one first.
final class JSONPath {
    let parent: JSONPath?
    let key: any CodingKey

    init(_ parent: JSONPath?, _ key: any CodingKey) {
        self.parent = parent
        self.key = key
    }
}

extension JSONPath? {
    var keys: [any CodingKey] {
        var keys: [any CodingKey] = []
        var path = self
        while let step = path {
            keys.append(step.key)
            path = step.parent
        }
        return keys.reversed()
    }
}

/// A key that is not one of the author's.
struct JSONKey: CodingKey {
    let stringValue: String
    let intValue: Int?

    init(stringValue: String) { (self.stringValue, intValue) = (stringValue, nil) }
    init(intValue: Int) { (stringValue, self.intValue) = ("\(intValue)", intValue) }

    static let `super` = JSONKey(stringValue: "super")
}

/// Reads one value of a document.
struct JSONReader: Decoder {
    let document: JSONDocument
    /// Of the token.
    let index: Int
    let path: JSONPath?

    var codingPath: [any CodingKey] { path.keys }
    var userInfo: [CodingUserInfoKey: Any] { [:] }
    private var kind: JSONToken.Kind { document.tokens[index].kind }

    func container<Key: CodingKey>(keyedBy type: Key.Type) throws -> KeyedDecodingContainer<Key> {
        guard kind == .object else {
            throw mismatch([String: Any].self, "an object")
        }
        return KeyedDecodingContainer(JSONObjectReader<Key>(self))
    }

    func unkeyedContainer() throws -> any UnkeyedDecodingContainer {
        guard kind == .array else { throw mismatch([Any].self, "an array") }
        return JSONArrayReader(self)
    }

    func singleValueContainer() -> any SingleValueDecodingContainer { self }

    // MARK: - Errors

    private func mismatch(_ type: Any.Type, _ expected: String) -> DecodingError {
        let found = kind == .number ? "the number \(number)" : kind.words
        let context = context(expected, found)
        return kind == .null ? .valueNotFound(type, context) : .typeMismatch(type, context)
    }

    private var number: String {
        let digits = document.slice(index)
        let text = String(decoding: digits.prefix(30), as: UTF8.self)
        return digits.count > 30 ? text + "…" : text
    }

    func context(_ expected: String, _ found: String) -> DecodingError.Context {
        let keys = codingPath
        let error = JSONError(
            .mismatch, path: JSONError.path(keys), offset: document.offset(of: index),
            expected: expected, found: found)
        return DecodingError.Context(
            codingPath: keys, debugDescription: "\(error)", underlyingError: error)
    }
}

// MARK: - Scalars

extension JSONReader: SingleValueDecodingContainer {
    func decodeNil() -> Bool { kind == .null }

    func decode(_ type: Bool.Type) throws -> Bool {
        switch kind {
        case .true: return true
        case .false: return false
        default: throw mismatch(type, "true or false")
        }
    }

    func decode(_ type: String.Type) throws -> String {
        guard kind == .string || kind == .escapedString else { throw mismatch(type, "a string") }
        return document.text(index)
    }

    func decode(_ type: Double.Type) throws -> Double { try floatingPoint() }
    func decode(_ type: Float.Type) throws -> Float { try floatingPoint() }
    func decode(_ type: Int.Type) throws -> Int { try integer() }
    func decode(_ type: Int8.Type) throws -> Int8 { try integer() }
    func decode(_ type: Int16.Type) throws -> Int16 { try integer() }
    func decode(_ type: Int32.Type) throws -> Int32 { try integer() }
    func decode(_ type: Int64.Type) throws -> Int64 { try integer() }
    func decode(_ type: Int128.Type) throws -> Int128 { try integer() }
    func decode(_ type: UInt.Type) throws -> UInt { try integer() }
    func decode(_ type: UInt8.Type) throws -> UInt8 { try integer() }
    func decode(_ type: UInt16.Type) throws -> UInt16 { try integer() }
    func decode(_ type: UInt32.Type) throws -> UInt32 { try integer() }
    func decode(_ type: UInt64.Type) throws -> UInt64 { try integer() }
    func decode(_ type: UInt128.Type) throws -> UInt128 { try integer() }

    func decode<Value: Decodable>(_ type: Value.Type) throws -> Value {
        // The elements of arrays and dictionaries come here, whatever their type is.
        if type == String.self, let value = try decode(String.self) as? Value { return value }
        if type == Int.self, let value = try decode(Int.self) as? Value { return value }
        if type == Double.self, let value = try decode(Double.self) as? Value { return value }
        return try Value(from: self)
    }

    private func integer<Number: FixedWidthInteger>() throws -> Number {
        guard kind == .number else { throw mismatch(Number.self, "a whole number") }
        guard let value: Number = document.integer(index) else {
            throw mismatch(
                Number.self, "a whole number from \(Number.min) to \(Number.max)")
        }
        return value
    }

    private func floatingPoint<Number: BinaryFloatingPoint & LosslessStringConvertible>()
        throws -> Number
    {
        guard kind == .number else { throw mismatch(Number.self, "a number") }
        guard let value: Number = document.floatingPoint(index) else {
            throw mismatch(
                Number.self, "a number up to \(Number.greatestFiniteMagnitude)")
        }
        return value
    }
}
