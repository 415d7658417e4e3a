struct JSONObjectWriter<Key: CodingKey>: KeyedEncodingContainerProtocol {
    let container: JSONContainer
    let path: JSONPath?
    /// Of the members.
    let depth: Int

    var codingPath: [any CodingKey] { path.keys }

    private func add(_ part: JSONPart, _ key: any CodingKey) {
        container.keys.append(key.stringValue)
        container.parts.append(part)
    }

    func encodeNil(forKey key: Key) { add(.literal("null"), key) }
    func encode(_ value: Bool, forKey key: Key) { add(.literal(value ? "true" : "false"), key) }
    func encode(_ value: String, forKey key: Key) { add(.text(value), key) }
    func encode(_ value: Double, forKey key: Key) throws {
        add(try JSONWriter.part(of: value, JSONPath(path, key)), key)
    }
    func encode(_ value: Float, forKey key: Key) throws {
        add(try JSONWriter.part(of: value, JSONPath(path, key)), key)
    }
    func encode(_ value: Int, forKey key: Key) { add(.literal("\(value)"), key) }
    func encode(_ value: Int8, forKey key: Key) { add(.literal("\(value)"), key) }
    func encode(_ value: Int16, forKey key: Key) { add(.literal("\(value)"), key) }
    func encode(_ value: Int32, forKey key: Key) { add(.literal("\(value)"), key) }
    func encode(_ value: Int64, forKey key: Key) { add(.literal("\(value)"), key) }
    func encode(_ value: Int128, forKey key: Key) { add(.literal("\(value)"), key) }
    func encode(_ value: UInt, forKey key: Key) { add(.literal("\(value)"), key) }
    func encode(_ value: UInt8, forKey key: Key) { add(.literal("\(value)"), key) }
    func encode(_ value: UInt16, forKey key: Key) { add(.literal("\(value)"), key) }
    func encode(_ value: UInt32, forKey key: Key) { add(.literal("\(value)"), key) }
    func encode(_ value: UInt64, forKey key: Key) { add(.literal("\(value)"), key) }
    func encode(_ value: UInt128, forKey key: Key) { add(.literal("\(value)"), key) }
    func encode<Value: Encodable>(_ value: Value, forKey key: Key) throws {
        add(try JSONWriter.part(of: value, JSONPath(path, key), depth: depth), key)
    }

    func nestedContainer<Nested: CodingKey>(
        keyedBy type: Nested.Type, forKey key: Key
    ) -> KeyedEncodingContainer<Nested> {
        writer(key).container(keyedBy: type)
    }

    func nestedUnkeyedContainer(forKey key: Key) -> any UnkeyedEncodingContainer {
        writer(key).unkeyedContainer()
    }

    func superEncoder() -> any Encoder { writer(JSONKey.super) }
    func superEncoder(forKey key: Key) -> any Encoder { writer(key) }

    private func writer(_ key: any CodingKey) -> JSONWriter {
        let slot = JSONSlot()
        add(.later(slot), key)
        return JSONWriter(slot: slot, path: JSONPath(path, key), depth: depth)
    }
}

struct JSONArrayWriter: UnkeyedEncodingContainer {
    let container: JSONContainer
    let path: JSONPath?
    /// Of the elements.
    let depth: Int

    var codingPath: [any CodingKey] { path.keys }
    var count: Int { container.parts.count }
    private var elementPath: JSONPath { JSONPath(path, JSONKey(intValue: count)) }

    func encodeNil() { container.parts.append(.literal("null")) }
    func encode(_ value: Bool) { container.parts.append(.literal(value ? "true" : "false")) }
    func encode(_ value: String) { container.parts.append(.text(value)) }
    func encode(_ value: Double) throws {
        container.parts.append(try JSONWriter.part(of: value, elementPath))
    }
    func encode(_ value: Float) throws {
        container.parts.append(try JSONWriter.part(of: value, elementPath))
    }
    func encode(_ value: Int) { container.parts.append(.literal("\(value)")) }
    func encode(_ value: Int8) { container.parts.append(.literal("\(value)")) }
    func encode(_ value: Int16) { container.parts.append(.literal("\(value)")) }
    func encode(_ value: Int32) { container.parts.append(.literal("\(value)")) }
    func encode(_ value: Int64) { container.parts.append(.literal("\(value)")) }
    func encode(_ value: Int128) { container.parts.append(.literal("\(value)")) }
    func encode(_ value: UInt) { container.parts.append(.literal("\(value)")) }
    func encode(_ value: UInt8) { container.parts.append(.literal("\(value)")) }
    func encode(_ value: UInt16) { container.parts.append(.literal("\(value)")) }
    func encode(_ value: UInt32) { container.parts.append(.literal("\(value)")) }
    func encode(_ value: UInt64) { container.parts.append(.literal("\(value)")) }
    func encode(_ value: UInt128) { container.parts.append(.literal("\(value)")) }
    func encode<Value: Encodable>(_ value: Value) throws {
        container.parts.append(try JSONWriter.part(of: value, elementPath, depth: depth))
    }

    func nestedContainer<Nested: CodingKey>(
        keyedBy type: Nested.Type
    ) -> KeyedEncodingContainer<Nested> {
        writer().container(keyedBy: type)
    }

    func nestedUnkeyedContainer() -> any UnkeyedEncodingContainer { writer().unkeyedContainer() }
    func superEncoder() -> any Encoder { writer() }

    private func writer() -> JSONWriter {
        let slot = JSONSlot()
        let path = elementPath
        container.parts.append(.later(slot))
        return JSONWriter(slot: slot, path: path, depth: depth)
    }
}
