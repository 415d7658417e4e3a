/// Takes one value, and puts what becomes of it into its slot.
struct JSONWriter: Encoder {
    let slot: JSONSlot
    let path: JSONPath?
    /// How many arrays and objects this value lies in.
    let depth: Int

    var codingPath: [any CodingKey] { path.keys }
    var userInfo: [CodingUserInfoKey: Any] { [:] }

    func container<Key: CodingKey>(keyedBy type: Key.Type) -> KeyedEncodingContainer<Key> {
        KeyedEncodingContainer(
            JSONObjectWriter<Key>(
                container: container(isObject: true), path: path, depth: depth + 1))
    }

    func unkeyedContainer() -> any UnkeyedEncodingContainer {
        JSONArrayWriter(container: container(isObject: false), path: path, depth: depth + 1)
    }

    func singleValueContainer() -> any SingleValueEncodingContainer { self }

    /// The one that is there: a class and its superclass may share one.
    private func container(isObject: Bool) -> JSONContainer {
        if case .container(let known)? = slot.part, known.isObject == isObject { return known }
        let container = JSONContainer(isObject: isObject)
        slot.part = .container(container)
        return container
    }
}

// MARK: - Values

extension JSONWriter {
    /// What becomes of a value of any type.
    static func part<Value: Encodable>(
        of value: Value, _ path: JSONPath?, depth: Int
    ) throws -> JSONPart {
        // The elements of arrays and dictionaries come here, whatever their type is.
        if let text = value as? String { return .text(text) }
        if let number = value as? Int { return .literal("\(number)") }
        if let number = value as? Double { return try part(of: number, path) }
        guard depth < JSONError.depthLimit else {
            throw EncodingError.invalidValue(
                value,
                context(
                    path, "at most \(JSONError.depthLimit) arrays and objects in each other",
                    "more"))
        }
        let slot = JSONSlot()
        try value.encode(to: JSONWriter(slot: slot, path: path, depth: depth))
        return slot.part ?? .literal("{}")
    }

    /// Of a number with a point, in the shortest form that is read as the same number.
    static func part<Number: BinaryFloatingPoint & CustomStringConvertible>(
        of number: Number, _ path: JSONPath?
    ) throws -> JSONPart {
        guard number.isFinite else {
            throw EncodingError.invalidValue(
                number, context(path, "a number that JSON has", "\(number)"))
        }
        let text = number.description
        return .literal(text.hasSuffix(".0") ? String(text.dropLast(2)) : text)
    }

    private static func context(
        _ path: JSONPath?, _ expected: String, _ found: String
    ) -> EncodingError.Context {
        let error = JSONError(
            .notEncodable, path: JSONError.path(path.keys), expected: expected, found: found)
        return EncodingError.Context(
            codingPath: path.keys, debugDescription: "\(error)", underlyingError: error)
    }
}

extension JSONWriter: SingleValueEncodingContainer {
    func encodeNil() { slot.part = .literal("null") }
    func encode(_ value: Bool) { slot.part = .literal(value ? "true" : "false") }
    func encode(_ value: String) { slot.part = .text(value) }
    func encode(_ value: Double) throws { slot.part = try Self.part(of: value, path) }
    func encode(_ value: Float) throws { slot.part = try Self.part(of: value, path) }
    func encode(_ value: Int) { slot.part = .literal("\(value)") }
    func encode(_ value: Int8) { slot.part = .literal("\(value)") }
    func encode(_ value: Int16) { slot.part = .literal("\(value)") }
    func encode(_ value: Int32) { slot.part = .literal("\(value)") }
    func encode(_ value: Int64) { slot.part = .literal("\(value)") }
    func encode(_ value: Int128) { slot.part = .literal("\(value)") }
    func encode(_ value: UInt) { slot.part = .literal("\(value)") }
    func encode(_ value: UInt8) { slot.part = .literal("\(value)") }
    func encode(_ value: UInt16) { slot.part = .literal("\(value)") }
    func encode(_ value: UInt32) { slot.part = .literal("\(value)") }
    func encode(_ value: UInt64) { slot.part = .literal("\(value)") }
    func encode(_ value: UInt128) { slot.part = .literal("\(value)") }
    func encode<Value: Encodable>(_ value: Value) throws {
        slot.part = try Self.part(of: value, path, depth: depth)
    }
}
