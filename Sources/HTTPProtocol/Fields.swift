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

    /// The lines one after the other, each as a ``Line``. One piece of memory and no texts, which are
    /// made when they are asked for: a connection keeps the fields of its request.
    private var bytes: [UInt8] = []

    /// No fields.
    public init() {}

    /// The number of field lines; they are counted.
    public var count: Int { lines.reduce(0) { count, _ in count + 1 } }

    /// Whether there is no field line.
    public var isEmpty: Bool { bytes.isEmpty }

    /// The values of all lines of that name joined by ", " (RFC 9110 §5.3); `nil` if there are none.
    ///
    /// Not for `Set-Cookie`, whose values have commas of their own: use `values(of:)`.
    public subscript(_ name: String) -> String? {
        var joined: String?
        for line in lines where isNamed(line, name) {
            let value = text(line.value)
            joined = joined.map { $0 + ", " + value } ?? value
        }
        return joined
    }

    /// The values of the lines of that name, one for each line.
    public func values(of name: String) -> [String] {
        var values: [String] = []
        for line in lines where isNamed(line, name) { values.append(text(line.value)) }
        return values
    }

    /// Whether there is a line of that name, be its value empty.
    public func contains(_ name: String) -> Bool {
        lines.contains { isNamed($0, name) }
    }

    /// Whether the comma list in the lines of that name has the element, in any case.
    ///
    /// As for `Connection: keep-alive, Upgrade`.
    public func hasElement(_ element: String, in name: String) -> Bool {
        for line in lines where isNamed(line, name) {
            if holds(line.value, element) { return true }
            // Most lists have one element.
            guard bytes[line.value].contains(Byte.comma) else { continue }
            let elements = HeaderGrammar.elements(of: text(line.value)) ?? []
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
        appendUnchecked(name.utf8, Byte.trimmed(value.utf8))
    }

    /// Adds the lines of `others` after these.
    public mutating func append(contentsOf others: Fields) {
        bytes.append(contentsOf: others.bytes)
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
        guard contains(name) else { return }
        var kept = Fields()
        for line in lines where !isNamed(line, name) {
            kept.appendUnchecked(bytes[line.name], bytes[line.value])
        }
        self = kept
    }

    /// For the parser, which has checked the bytes: UTF-8, as all that is kept.
    mutating func appendUnchecked(_ name: some Collection<UInt8>, _ value: some Collection<UInt8>) {
        for count in [UInt32(name.count), UInt32(value.count)] {
            withUnsafeBytes(of: count) { bytes.append(contentsOf: $0) }
        }
        bytes.append(contentsOf: name)
        bytes.append(contentsOf: value)
    }

    /// Room for so many bytes of lines, about.
    mutating func reserve(_ byteCount: Int) { bytes.reserveCapacity(byteCount) }

    /// The same in no more memory than it takes: for fields that are kept.
    public func trimmed() -> Fields {
        guard bytes.capacity - bytes.count > Self.keptSpareByteCount else { return self }
        var copy = Fields()
        copy.reserve(bytes.count)
        copy.bytes.append(contentsOf: bytes)
        return copy
    }

    /// 64: less is not worth a copy.
    private static let keptSpareByteCount = 64

    /// Appends `name: value CRLF` for each line.
    func serialize(into bytes: inout [UInt8]) {
        for line in lines {
            bytes.append(contentsOf: self.bytes[line.name])
            bytes.append(Byte.colon)
            bytes.append(Byte.space)
            bytes.append(contentsOf: self.bytes[line.value])
            bytes.append(Byte.carriageReturn)
            bytes.append(Byte.lineFeed)
        }
    }
}

// MARK: - The lines

extension Fields {
    /// Where the parts of a line are among the bytes: behind two numbers, how long they are.
    private struct Line {
        static let lengthByteCount = MemoryLayout<UInt32>.size

        let name: Range<Int>
        let value: Range<Int>

        init(at start: Int, in bytes: RawSpan) {
            func length(at offset: Int) -> Int {
                Int(bytes.unsafeLoadUnaligned(fromByteOffset: offset, as: UInt32.self))
            }
            let nameStart = start + 2 * Self.lengthByteCount
            let valueStart = nameStart + length(at: start)
            name = nameStart..<valueStart
            value = valueStart..<(valueStart + length(at: start + Self.lengthByteCount))
        }
    }

    private struct Lines: Sequence, IteratorProtocol {
        let bytes: [UInt8]
        var start = 0

        mutating func next() -> Line? {
            guard start < bytes.count else { return nil }
            let line = Line(at: start, in: bytes.span.bytes)
            start = line.value.upperBound
            return line
        }
    }

    private var lines: Lines { Lines(bytes: bytes) }

    private func isNamed(_ line: Line, _ name: String) -> Bool { holds(line.name, name) }

    /// Whether the bytes are those of the text, in any case.
    private func holds(_ part: Range<Int>, _ text: String) -> Bool {
        let text = text.utf8.span
        guard part.count == text.count else { return false }
        for index in text.indices
        where Byte.lowercase(bytes[part.lowerBound + index]) != Byte.lowercase(text[index]) {
            return false
        }
        return true
    }

    private func text(_ part: Range<Int>) -> String { String(decoding: bytes[part], as: UTF8.self) }
}

extension Fields: Sequence {
    /// The lines in their order.
    public struct Iterator: IteratorProtocol {
        private let fields: Fields
        private var lines: Lines

        fileprivate init(_ fields: Fields) {
            self.fields = fields
            lines = fields.lines
        }

        public mutating func next() -> Field? {
            lines.next().map { Field(name: fields.text($0.name), value: fields.text($0.value)) }
        }
    }

    /// The lines in their order.
    public func makeIterator() -> Iterator { Iterator(self) }
}

extension Fields: Hashable {
    public static func == (first: Self, second: Self) -> Bool { first.elementsEqual(second) }

    public func hash(into hasher: inout Hasher) {
        for field in self { hasher.combine(field) }
    }
}

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
