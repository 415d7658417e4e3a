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

    /// The lines one after the other, each as a ``Line``. One piece of memory and no texts, which
    /// are made when they are asked for: a connection keeps the fields of its request.
    private var bytes: [UInt8] = []

    /// No fields.
    public init() {}

    /// The number of field lines; they are counted.
    public var count: Int { lines.reduce(0) { count, _ in count + 1 } }

    /// Whether there is no field line.
    public var isEmpty: Bool { bytes.isEmpty }

    /// The values of all lines of that name joined by ", " (RFC 9110 §5.3); `nil` if there are
    /// none.
    ///
    /// Not for `Set-Cookie`, whose values have commas of their own: use `values(of:)`.
    public subscript(_ name: String) -> String? {
        guard let first = line(named: name) else { return nil }
        var joined = text(first.value)
        var last = first
        while let line = line(named: name, after: last) {
            joined += ", " + text(line.value)
            last = line
        }
        return joined
    }

    /// The values of the lines of that name, one for each line.
    public func values(of name: String) -> [String] {
        var values: [String] = []
        var last: Line?
        while let line = line(named: name, after: last) {
            values.append(text(line.value))
            last = line
        }
        return values
    }

    /// The value of the first line of that name, and how many lines there are: for fields of which
    /// a second line is a fault. `nil` if there are none.
    public func firstValue(of name: String) -> (value: String, lineCount: Int)? {
        withFirstValue(of: name) { value, lineCount in (value.text, lineCount) }
    }

    /// The same without making a text: `nil`, without a call, if there are none.
    func withFirstValue<Result, Failure>(
        of name: String, _ body: (_ value: Span<UInt8>, _ lineCount: Int) throws(Failure) -> Result
    ) throws(Failure) -> Result? {
        guard let first = line(named: name) else { return nil }
        var (last, lineCount) = (first, 1)
        while let line = line(named: name, after: last) {
            lineCount += 1
            last = line
        }
        return try body(bytes.span.extracting(first.value), lineCount)
    }

    /// Whether there is a line of that name, be its value empty.
    public func contains(_ name: String) -> Bool { line(named: name) != nil }

    /// Whether the comma list in the lines of that name has the element, in any case.
    ///
    /// As for `Connection: keep-alive, Upgrade`.
    public func hasElement(_ element: String, in name: String) -> Bool {
        var last: Line?
        while let line = line(named: name, after: last) {
            last = line
            let value = bytes.span.extracting(line.value)
            if value.equalsIgnoringCase(element.utf8.span) { return true }
            // Most lists have one element.
            guard value.firstIndex(of: Byte.comma) != nil else { continue }
            let elements = HeaderGrammar.elements(of: text(line.value)) ?? []
            if elements.contains(where: { HeaderGrammar.equalsIgnoringCase($0, element) }) {
                return true
            }
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
        guard bytes.isPrintableASCII || bytes.allSatisfy(HeaderGrammar.isFieldValueByte) else {
            throw .invalidValue(name: name, value: value)
        }
        appendUnchecked(name.utf8.span, bytes.extracting(bytes.trimmedRange()))
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
        if contains(name) { self = without(name) }
    }

    private func without(_ name: String) -> Fields {
        var others = Fields()
        let (bytes, name) = (bytes.span, name.utf8.span)
        for line in lines where !line.isNamed(name, in: bytes) {
            others.appendUnchecked(bytes.extracting(line.name), bytes.extracting(line.value))
        }
        return others
    }

    /// For the parser, which has checked the bytes: UTF-8, as all that is kept.
    mutating func appendUnchecked(_ name: Span<UInt8>, _ value: Span<UInt8>) {
        bytes.append(addingCapacity: Line.byteCount(name, value)) { output in
            output.withUnsafeMutableBufferPointer { place, byteCount in
                Line.write(name, value, to: UnsafeMutableRawBufferPointer(place))
                byteCount = Line.byteCount(name, value)
            }
        }
    }

    /// Reserves memory for about that many bytes of lines.
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

    /// Appends `name: value CRLF` for each line, as it is sent.
    func serialize(into output: inout [UInt8]) {
        let bytes = bytes.span
        // That is enough: two lengths are longer than ": " and CR LF.
        output.append(addingCapacity: bytes.count) { output in
            var start = 0
            while let line = Line(at: start, in: bytes) {
                output.append(bytes.extracting(line.name))
                output.append(Byte.colon)
                output.append(Byte.space)
                output.append(bytes.extracting(line.value))
                output.append(Byte.carriageReturn)
                output.append(Byte.lineFeed)
                start = line.end
            }
        }
    }
}

// MARK: - The lines

extension Fields {
    private struct Lines: Sequence, IteratorProtocol {
        let bytes: [UInt8]
        var start = 0

        mutating func next() -> Line? {
            let line = Line(at: start, in: bytes.span)
            if let line { start = line.end }
            return line
        }
    }

    private var lines: Lines { Lines(bytes: bytes) }

    /// The next line of that name; `nil` if there is none.
    private func line(named name: String, after last: Line? = nil) -> Line? {
        let (bytes, name) = (bytes.span, name.utf8.span)
        var start = last?.end ?? 0
        while let line = Line(at: start, in: bytes) {
            if line.isNamed(name, in: bytes) { return line }
            start = line.end
        }
        return nil
    }

    private func text(_ part: Range<Int>) -> String { bytes.span.extracting(part).text }
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
