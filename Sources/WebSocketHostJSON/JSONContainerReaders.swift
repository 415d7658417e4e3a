/// The members of an object.
struct JSONObjectReader<Key: CodingKey>: KeyedDecodingContainerProtocol {
    private let reader: JSONReader
    private let keys: [Int]
    /// Of objects with many members: where each key is.
    private let index: [[UInt8]: Int]?

    /// So many keys are looked at one after the other.
    private static var comparedKeyLimit: Int { 16 }

    init(_ reader: JSONReader) {
        self.reader = reader
        let document = reader.document
        let keys = document.keys(of: reader.index)
        self.keys = keys
        index =
            keys.count <= Self.comparedKeyLimit
            ? nil
            : Dictionary(
                keys.map { (Array(document.text($0).utf8), $0) }, uniquingKeysWith: { $1 })
    }

    var codingPath: [any CodingKey] { reader.codingPath }

    var allKeys: [Key] { keys.compactMap { Key(stringValue: reader.document.text($0)) } }

    func contains(_ key: Key) -> Bool { place(of: key) != nil }

    /// Of its value.
    private func place(of key: any CodingKey) -> Int? {
        let name = key.stringValue
        let found =
            index.map { $0[Array(name.utf8)] } ?? keys.first { reader.document.isKey($0, name) }
        return found.map { $0 + 1 }
    }

    private func value(_ key: any CodingKey) throws -> JSONReader {
        guard let place = place(of: key) else {
            throw DecodingError.keyNotFound(key, reader.missing(key))
        }
        return JSONReader(
            document: reader.document, index: place, path: JSONPath(reader.path, key))
    }

    func decodeNil(forKey key: Key) throws -> Bool { try value(key).decodeNil() }
    func decode(_ type: Bool.Type, forKey key: Key) throws -> Bool { try value(key).decode(type) }
    func decode(_ type: String.Type, forKey key: Key) throws -> String {
        try value(key).decode(type)
    }
    func decode(_ type: Double.Type, forKey key: Key) throws -> Double {
        try value(key).decode(type)
    }
    func decode(_ type: Float.Type, forKey key: Key) throws -> Float { try value(key).decode(type) }
    func decode(_ type: Int.Type, forKey key: Key) throws -> Int { try value(key).decode(type) }
    func decode(_ type: Int8.Type, forKey key: Key) throws -> Int8 { try value(key).decode(type) }
    func decode(_ type: Int16.Type, forKey key: Key) throws -> Int16 { try value(key).decode(type) }
    func decode(_ type: Int32.Type, forKey key: Key) throws -> Int32 { try value(key).decode(type) }
    func decode(_ type: Int64.Type, forKey key: Key) throws -> Int64 { try value(key).decode(type) }
    func decode(_ type: Int128.Type, forKey key: Key) throws -> Int128 {
        try value(key).decode(type)
    }
    func decode(_ type: UInt.Type, forKey key: Key) throws -> UInt { try value(key).decode(type) }
    func decode(_ type: UInt8.Type, forKey key: Key) throws -> UInt8 { try value(key).decode(type) }
    func decode(_ type: UInt16.Type, forKey key: Key) throws -> UInt16 {
        try value(key).decode(type)
    }
    func decode(_ type: UInt32.Type, forKey key: Key) throws -> UInt32 {
        try value(key).decode(type)
    }
    func decode(_ type: UInt64.Type, forKey key: Key) throws -> UInt64 {
        try value(key).decode(type)
    }
    func decode(_ type: UInt128.Type, forKey key: Key) throws -> UInt128 {
        try value(key).decode(type)
    }
    func decode<Value: Decodable>(_ type: Value.Type, forKey key: Key) throws -> Value {
        try value(key).decode(type)
    }

    func nestedContainer<Nested: CodingKey>(
        keyedBy type: Nested.Type, forKey key: Key
    ) throws -> KeyedDecodingContainer<Nested> {
        try value(key).container(keyedBy: type)
    }

    func nestedUnkeyedContainer(forKey key: Key) throws -> any UnkeyedDecodingContainer {
        try value(key).unkeyedContainer()
    }

    func superDecoder() throws -> any Decoder { try value(JSONKey.super) }
    func superDecoder(forKey key: Key) throws -> any Decoder { try value(key) }
}

/// The elements of an array, one after the other.
struct JSONArrayReader: UnkeyedDecodingContainer {
    private let reader: JSONReader
    private var next: Int
    private let end: Int
    private(set) var currentIndex = 0

    init(_ reader: JSONReader) {
        self.reader = reader
        next = reader.index + 1
        end = reader.document.end(of: reader.index)
    }

    var codingPath: [any CodingKey] { reader.codingPath }
    /// Not counted: that would take as long as reading them.
    var count: Int? { nil }
    var isAtEnd: Bool { next == end }

    private func element<Value>(_ type: Value.Type) throws -> JSONReader {
        let key = JSONKey(intValue: currentIndex)
        guard !isAtEnd else {
            throw DecodingError.valueNotFound(type, reader.missing(key))
        }
        return JSONReader(
            document: reader.document, index: next, path: JSONPath(reader.path, key))
    }

    private mutating func advance() {
        next = reader.document.end(of: next)
        currentIndex += 1
    }

    /// After an error the element is still there.
    private mutating func take<Value>(
        _ decode: (JSONReader) throws -> Value
    ) throws -> Value {
        let value = try decode(try element(Value.self))
        advance()
        return value
    }

    mutating func decodeNil() throws -> Bool {
        let isNil = try element(Never?.self).decodeNil()
        if isNil { advance() }
        return isNil
    }

    mutating func decode(_ type: Bool.Type) throws -> Bool { try take { try $0.decode(type) } }
    mutating func decode(_ type: String.Type) throws -> String { try take { try $0.decode(type) } }
    mutating func decode(_ type: Double.Type) throws -> Double { try take { try $0.decode(type) } }
    mutating func decode(_ type: Float.Type) throws -> Float { try take { try $0.decode(type) } }
    mutating func decode(_ type: Int.Type) throws -> Int { try take { try $0.decode(type) } }
    mutating func decode(_ type: Int8.Type) throws -> Int8 { try take { try $0.decode(type) } }
    mutating func decode(_ type: Int16.Type) throws -> Int16 { try take { try $0.decode(type) } }
    mutating func decode(_ type: Int32.Type) throws -> Int32 { try take { try $0.decode(type) } }
    mutating func decode(_ type: Int64.Type) throws -> Int64 { try take { try $0.decode(type) } }
    mutating func decode(_ type: Int128.Type) throws -> Int128 { try take { try $0.decode(type) } }
    mutating func decode(_ type: UInt.Type) throws -> UInt { try take { try $0.decode(type) } }
    mutating func decode(_ type: UInt8.Type) throws -> UInt8 { try take { try $0.decode(type) } }
    mutating func decode(_ type: UInt16.Type) throws -> UInt16 { try take { try $0.decode(type) } }
    mutating func decode(_ type: UInt32.Type) throws -> UInt32 { try take { try $0.decode(type) } }
    mutating func decode(_ type: UInt64.Type) throws -> UInt64 { try take { try $0.decode(type) } }
    mutating func decode(_ type: UInt128.Type) throws -> UInt128 {
        try take { try $0.decode(type) }
    }
    mutating func decode<Value: Decodable>(_ type: Value.Type) throws -> Value {
        try take { try $0.decode(type) }
    }

    mutating func nestedContainer<Nested: CodingKey>(
        keyedBy type: Nested.Type
    ) throws -> KeyedDecodingContainer<Nested> {
        try take { try $0.container(keyedBy: type) }
    }

    mutating func nestedUnkeyedContainer() throws -> any UnkeyedDecodingContainer {
        try take { try $0.unkeyedContainer() }
    }

    mutating func superDecoder() throws -> any Decoder { try take { $0 } }
}

extension JSONReader {
    /// For a key or an element that is not there.
    func missing(_ key: any CodingKey) -> DecodingError.Context {
        let keys = codingPath
        let error = JSONError(
            .mismatch, path: JSONError.path(keys + [key]), offset: document.offset(of: index),
            expected: "a value", found: "nothing")
        return DecodingError.Context(
            codingPath: keys, debugDescription: "\(error)", underlyingError: error)
    }
}
