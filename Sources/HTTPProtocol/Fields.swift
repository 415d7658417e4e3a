/// Header fields in the order they came, with names that ignore case (RFC 9110 §5.1).
///
/// Whatever is in it can be sent: a name is a token and a value has no line ends, so a value that
/// came from a user can not add a line to a response.
public struct Fields: Sendable {
    /// One field line.
    public struct Field: Sendable {
        /// As it was written.
        public let name: String
        /// Without the white space around it.
        public let value: String
    }

    private var lines: [Field] = []

    /// No fields.
    public init() {}

    /// The number of field lines.
    public var count: Int { lines.count }

    /// Whether there is no field line.
    public var isEmpty: Bool { lines.isEmpty }

    /// The values of all lines of that name joined by ", " (RFC 9110 §5.3); `nil` if there are none.
    ///
    /// Not for `Set-Cookie`, whose values have commas of their own: use `values(of:)`.
    public subscript(_ name: String) -> String? {
        var joined: String?
        for index in lines.indices where isNamed(index, name) {
            let value = lines[index].value
            joined = joined.map { $0 + ", " + value } ?? value
        }
        return joined
    }

    /// The values of the lines of that name, one for each line.
    public func values(of name: String) -> [String] {
        var values: [String] = []
        for index in lines.indices where isNamed(index, name) { values.append(lines[index].value) }
        return values
    }

    /// Whether there is a line of that name, be its value empty.
    public func contains(_ name: String) -> Bool {
        lines.indices.contains { isNamed($0, name) }
    }

    /// By index, as a line taken out to look at is counted as one more owner of both its texts.
    private func isNamed(_ index: Int, _ name: String) -> Bool {
        HeaderGrammar.equalsIgnoringCase(lines[index].name, name)
    }

    /// Whether the comma list in the lines of that name has the element, in any case.
    ///
    /// As for `Connection: keep-alive, Upgrade`.
    public func hasElement(_ element: String, in name: String) -> Bool {
        for index in lines.indices where isNamed(index, name) {
            let value = lines[index].value
            if HeaderGrammar.equalsIgnoringCase(value, element) { return true }
            // Most lists have one element.
            guard value.utf8.contains(Byte.comma) else { continue }
            let elements = HeaderGrammar.elements(of: value) ?? []
            if elements.contains(where: { HeaderGrammar.equalsIgnoringCase($0, element) }) { return true }
        }
        return false
    }

    /// Adds a line after the others.
    ///
    /// Spaces and tabs around the value are dropped.
    ///
    /// - Throws: `FieldError` if the name is not a token (RFC 9110 §5.6.2) or the value has a
    ///   control character other than a tab: a CR or LF in it would begin a line of its own.
    public mutating func append(_ name: String, _ value: String) throws(FieldError) {
        guard HeaderGrammar.isToken(name) else { throw .invalidName(name) }
        let bytes = value.utf8.span
        guard bytes.allSatisfy(HeaderGrammar.isFieldValueByte) else {
            throw .invalidValue(name: name, value: value)
        }
        let isTrimmed =
            bytes.isEmpty
            || !Byte.isWhitespace(bytes[0]) && !Byte.isWhitespace(bytes[bytes.count - 1])
        appendUnchecked(name, isTrimmed ? value : String(Substring(Byte.trimmed(value.utf8))))
    }

    /// Adds the lines of `others` after these.
    public mutating func append(contentsOf others: Fields) {
        lines.append(contentsOf: others.lines)
    }

    /// Puts one line in the place of all lines of that name.
    ///
    /// - Throws: `FieldError`, as `append`; nothing is removed then.
    public mutating func set(_ name: String, _ value: String) throws(FieldError) {
        var changed = self
        changed.remove(name)
        try changed.append(name, value)
        self = changed
    }

    /// Removes all lines of that name.
    public mutating func remove(_ name: String) {
        lines.removeAll { HeaderGrammar.equalsIgnoringCase($0.name, name) }
    }

    /// For the parser: makes room for as many lines as most requests have, instead of step by step.
    mutating func reserveUsualCount() { lines.reserveCapacity(8) }

    /// For the parser, which has checked the bytes.
    mutating func appendUnchecked(_ name: String, _ value: String) {
        lines.append(Field(name: name, value: value))
    }

    /// Appends `name: value CRLF` for each line.
    func serialize(into bytes: inout [UInt8]) {
        for line in lines {
            Byte.append(line.name, to: &bytes)
            bytes.append(Byte.colon)
            bytes.append(Byte.space)
            Byte.append(line.value, to: &bytes)
            bytes.append(Byte.carriageReturn)
            bytes.append(Byte.lineFeed)
        }
    }
}

extension Fields: Sequence {
    /// The lines in their order.
    public func makeIterator() -> IndexingIterator<[Field]> { lines.makeIterator() }
}

extension Fields: Hashable {}

extension Fields.Field: Hashable {
    public static func == (first: Self, second: Self) -> Bool {
        first.value == second.value
            && HeaderGrammar.equalsIgnoringCase(first.name, second.name)
    }

    public func hash(into hasher: inout Hasher) {
        for byte in name.utf8 { hasher.combine(Byte.lowercase(byte)) }
        hasher.combine(value)
    }
}

extension Fields: ExpressibleByDictionaryLiteral {
    /// Fields that the source spells out: `["Upgrade": "websocket"]`.
    ///
    /// Only literals fit, so that no value from outside comes in unchecked by this way.
    public init(dictionaryLiteral elements: (StaticString, StaticString)...) {
        for (name, value) in elements {
            do {
                try append(name.description, value.description)
            } catch {
                preconditionFailure(error.description)
            }
        }
    }
}

/// Why a field can not be sent.
public enum FieldError: Error, Sendable, Hashable, CustomStringConvertible {
    case invalidName(String)
    case invalidValue(name: String, value: String)

    public var description: String {
        switch self {
        case .invalidName(let name):
            "The field name \(name.debugDescription) is not a token."
        case .invalidValue(let name, let value):
            "The value \(value.debugDescription) is not allowed in the field \(name)."
        }
    }
}
