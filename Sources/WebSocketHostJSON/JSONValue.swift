import WebSocketProtocol

/// Any JSON, for messages whose shape is not known beforehand.
///
/// ```swift
/// let value = try message.decode(JSONValue.self)
/// if value["type"] == "order" { try take(value["order"].decode(Order.self)) }
/// ```
public enum JSONValue: Sendable, Hashable {
    case null
    case bool(Bool)
    /// Exact for whole numbers up to 2^53, as in JavaScript.
    case number(Double)
    case string(String)
    case array([JSONValue])
    case object([String: JSONValue])

    /// The value of a key; ``null`` if there is none, or this is no object.
    public subscript(key: String) -> JSONValue {
        guard case .object(let members) = self else { return .null }
        return members[key] ?? .null
    }

    /// An element; ``null`` if there is none, or this is no array.
    public subscript(index: Int) -> JSONValue {
        guard case .array(let elements) = self, elements.indices.contains(index) else {
            return .null
        }
        return elements[index]
    }

    /// This value as a type.
    ///
    /// - Throws: ``JSONError``, with the path from here.
    public func decode<Value: Decodable>(_ type: Value.Type = Value.self) throws -> Value {
        try Message.json(self).decode(type)
    }
}

extension JSONValue: Codable {
    public init(from decoder: any Decoder) throws {
        if let reader = decoder as? JSONReader {
            try self.init(reader)
            return
        }
        let container = try decoder.singleValueContainer()
        if container.decodeNil() {
            self = .null
        } else if let value = try? container.decode(Bool.self) {
            self = .bool(value)
        } else if let value = try? container.decode(Double.self) {
            self = .number(value)
        } else if let value = try? container.decode(String.self) {
            self = .string(value)
        } else if let value = try? container.decode([JSONValue].self) {
            self = .array(value)
        } else {
            self = .object(try container.decode([String: JSONValue].self))
        }
    }

    private init(_ reader: JSONReader) throws {
        switch reader.document.tokens[reader.index].kind {
        case .null: self = .null
        case .true: self = .bool(true)
        case .false: self = .bool(false)
        case .number: self = .number(try reader.decode(Double.self))
        case .string, .escapedString: self = .string(try reader.decode(String.self))
        case .array: self = .array(try reader.decode([JSONValue].self))
        case .object: self = .object(try reader.decode([String: JSONValue].self))
        }
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        switch self {
        case .null: try container.encodeNil()
        case .bool(let value): try container.encode(value)
        case .number(let value): try container.encode(value)
        case .string(let value): try container.encode(value)
        case .array(let elements): try container.encode(elements)
        case .object(let members): try container.encode(members)
        }
    }
}

// MARK: - As literals

extension JSONValue: ExpressibleByNilLiteral, ExpressibleByBooleanLiteral,
    ExpressibleByIntegerLiteral, ExpressibleByFloatLiteral, ExpressibleByStringInterpolation,
    ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral
{
    public init(nilLiteral: ()) { self = .null }
    public init(booleanLiteral value: Bool) { self = .bool(value) }
    public init(integerLiteral value: Int) { self = .number(Double(value)) }
    public init(floatLiteral value: Double) { self = .number(value) }
    public init(stringLiteral value: String) { self = .string(value) }
    public init(arrayLiteral elements: JSONValue...) { self = .array(elements) }
    public init(dictionaryLiteral members: (String, JSONValue)...) {
        self = .object(Dictionary(members, uniquingKeysWith: { $1 }))
    }
}
